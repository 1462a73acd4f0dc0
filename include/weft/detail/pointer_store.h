// Where a channel keeps its values when they do not leave in the order of their arrival: each in a slot that it does not
// leave, and one array of pointers to the slots that is put in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace weft::inline v0::detail {

// Order: what becomes of the array when a value comes or goes. Not locked, as fifo_store.
template <class T, class Order>
class pointer_store {
 public:
  struct entry {
    T* value;
    std::uint64_t number;  // In order of arrival.
  };

  pointer_store(std::size_t capacity, Order order) : order_(std::move(order)) {
    if (capacity == SIZE_MAX || capacity == 0) return;
    void* memory = allocate_slots(0, capacity);
    install(memory);
    discard(memory);
  }
  // Leaves a store without any room.
  pointer_store(pointer_store&& other) noexcept
      : order_(std::move(other.order_)),
        entries_(std::move(other.entries_)),
        capacity_(std::exchange(other.capacity_, 0)),
        count_(std::exchange(other.count_, 0)),
        arrived_(other.arrived_),
        blocks_(std::exchange(other.blocks_, nullptr)) {}
  ~pointer_store() {
    while (blocks_ != nullptr) ::operator delete(std::exchange(blocks_, blocks_->next), std::align_val_t(alignment));
  }

  bool has_memory() const noexcept { return count_ < capacity_; }

  // Requires: has_memory(). Strong, whatever throws.
  void put(std::size_t, T&& value) {
    T* const slot = entries_[count_].value;
    const std::size_t at = order_.place_for(entries_.get(), count_, entry{std::addressof(value), arrived_});
    std::construct_at(slot, std::move(value));
    order_.add(entries_.get(), count_, at, entry{slot, arrived_});
    ++arrived_;
    ++count_;
  }

  // Requires: it is not empty. Strong.
  void take(std::size_t, std::optional<T>& place) {
    T* const taken = order_.first(entries_.get(), count_).value;
    const auto change = order_.plan_removal(entries_.get(), count_);
    place.emplace(std::move(*taken));
    std::destroy_at(taken);
    order_.remove(entries_.get(), count_, change);
    entries_[--count_].value = taken;
  }

  void clear(std::size_t) noexcept {
    while (count_ != 0) std::destroy_at(entries_[--count_].value);
  }

  // Room for as many again, made without the lock.
  void* allocate(std::size_t count) const { return allocate_slots(count, count < 16 ? 16 : count); }

  // Leaves in `memory` what is not needed any more, for discard().
  void install(void*& memory) noexcept {
    growth& added = *static_cast<growth*>(memory);
    const std::size_t total = capacity_ + added.slots;
    if (total > added.room) return;  // Somebody else has grown it meanwhile.
    for (std::size_t i = 0; i < capacity_; ++i) added.entries[i] = entries_[i];
    for (std::size_t i = 0; i < added.slots; ++i) added.entries[capacity_ + i] = {slots_of(added.memory) + i, 0};
    added.memory->next = blocks_;
    blocks_ = std::exchange(added.memory, nullptr);
    std::swap(entries_, added.entries);
    capacity_ = total;
  }

  void* surplus() noexcept { return nullptr; }
  static void discard(void* memory) noexcept {
    auto* const added = static_cast<growth*>(memory);
    if (added != nullptr && added->memory != nullptr) ::operator delete(added->memory, std::align_val_t(alignment));
    delete added;
  }

 private:
  struct block {
    block* next;
  };
  struct growth {
    block* memory = nullptr;
    std::size_t slots = 0;
    std::size_t room = 0;
    std::unique_ptr<entry[]> entries;
  };
  static constexpr std::size_t alignment = alignof(T) > alignof(block) ? alignof(T) : alignof(block);
  static constexpr std::size_t offset = (sizeof(block) + alignof(T) - 1) / alignof(T) * alignof(T);

  static T* slots_of(block* b) noexcept { return reinterpret_cast<T*>(reinterpret_cast<unsigned char*>(b) + offset); }

  // For `slots` more where there are `count` now.
  static void* allocate_slots(std::size_t count, std::size_t slots) {
    if (slots > (SIZE_MAX / 2 - offset) / (sizeof(T) + sizeof(entry)) - count) throw std::bad_alloc();
    auto added = std::make_unique<growth>();
    added->slots = slots;
    added->room = count + slots;
    added->entries = std::make_unique<entry[]>(added->room);
    added->memory = ::new (::operator new(offset + slots * sizeof(T), std::align_val_t(alignment))) block{nullptr};
    return added.release();
  }

  [[no_unique_address]] Order order_;
  std::unique_ptr<entry[]> entries_;  // The first count_ are filled; the others name free slots.
  std::size_t capacity_ = 0;
  std::size_t count_ = 0;
  std::uint64_t arrived_ = 0;
  block* blocks_ = nullptr;
};

// The last to come is the first to go.
struct newest_first {
  struct no_change {};
  template <class Entry>
  static std::size_t place_for(Entry*, std::size_t count, const Entry&) noexcept {
    return count;
  }
  template <class Entry>
  static void add(Entry* entries, std::size_t, std::size_t at, Entry fresh) noexcept {
    entries[at] = fresh;
  }
  template <class Entry>
  static Entry first(Entry* entries, std::size_t count) noexcept {
    return entries[count - 1];
  }
  template <class Entry>
  static no_change plan_removal(Entry*, std::size_t) noexcept {
    return {};
  }
  template <class Entry>
  static void remove(Entry*, std::size_t, no_change) noexcept {}
};

// A heap with the greatest at the top, and of equals the first to come. All comparing is done before anything moves, so
// that a comparison may throw.
template <class Compare>
struct greatest_first {
  static constexpr std::size_t deepest = 64;
  struct descent {
    std::size_t at[deepest];  // From the top: the places that move up, and the last one, which is filled.
    std::size_t length;
  };

  [[no_unique_address]] Compare compare;

  template <class Entry>
  std::size_t place_for(Entry* entries, std::size_t count, const Entry& fresh) {
    std::size_t at = count;
    while (at != 0 && goes_before(fresh, entries[(at - 1) / 2])) at = (at - 1) / 2;
    return at;
  }
  template <class Entry>
  static void add(Entry* entries, std::size_t count, std::size_t at, Entry fresh) noexcept {
    for (std::size_t hole = count; hole != at; hole = (hole - 1) / 2) entries[hole] = entries[(hole - 1) / 2];
    entries[at] = fresh;
  }

  template <class Entry>
  static Entry first(Entry* entries, std::size_t) noexcept {
    return entries[0];
  }

  template <class Entry>
  descent plan_removal(Entry* entries, std::size_t count) {
    const std::size_t left = count - 1;
    descent path;
    path.length = 0;
    std::size_t hole = 0;
    for (std::size_t child = 1; child < left; child = 2 * hole + 1) {
      if (child + 1 < left && goes_before(entries[child + 1], entries[child])) ++child;
      if (!goes_before(entries[child], entries[left])) break;
      path.at[path.length++] = child;
      hole = child;
    }
    return path;
  }

  template <class Entry>
  static void remove(Entry* entries, std::size_t count, const descent& path) noexcept {
    std::size_t hole = 0;
    for (std::size_t i = 0; i < path.length; ++i) {
      entries[hole] = entries[path.at[i]];
      hole = path.at[i];
    }
    entries[hole] = entries[count - 1];
  }

 private:
  template <class Entry>
  bool goes_before(const Entry& a, const Entry& b) {
    if (compare(std::as_const(*b.value), std::as_const(*a.value))) return true;
    return !compare(std::as_const(*a.value), std::as_const(*b.value)) && a.number < b.number;
  }
};

}  // namespace weft::inline v0::detail
