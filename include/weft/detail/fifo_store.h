// Where a channel keeps its values, oldest first: one ring for a bounded channel, a list of segments for an unbounded.
#pragma once

#include <weft/detail/config.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace weft::inline v0::detail {

// Not locked: the channel's lock is held wherever nothing else is said. How many values there are, the channel counts.
template <class T>
class fifo_store {
 public:
  // Throws: std::bad_alloc.
  explicit fifo_store(std::size_t capacity) : is_ring_(capacity != SIZE_MAX) {
    if (is_ring_) {
      if (capacity != 0) first_ = last_ = make_segment(capacity);
    } else {
      first_ = last_ = make_segment(segment_slots);
    }
    if (first_ != nullptr) take_from_start();
    put_ = take_;
    put_end_ = take_end_;
  }
  // Leaves a store without any room.
  fifo_store(fifo_store&& other) noexcept
      : put_(std::exchange(other.put_, nullptr)),
        put_end_(std::exchange(other.put_end_, nullptr)),
        take_(std::exchange(other.take_, nullptr)),
        take_end_(std::exchange(other.take_end_, nullptr)),
        first_(std::exchange(other.first_, nullptr)),
        last_(std::exchange(other.last_, nullptr)),
        spares_(std::exchange(other.spares_, nullptr)),
        is_ring_(other.is_ring_) {}
  ~fifo_store() {
    discard(first_);
    discard(spares_);
  }

  bool has_memory() const noexcept { return put_ != put_end_ || is_ring_ || spares_ != nullptr; }

  // Requires: has_memory(), and for a ring that it is not full. Strong.
  WEFT_ALWAYS_INLINE void put(std::size_t, T&& value) {
    if (put_ == put_end_) [[unlikely]]
      open_next_segment();
    std::construct_at(put_, std::move(value));
    ++put_;
  }

  // Requires: it is not empty. Strong.
  WEFT_ALWAYS_INLINE void take(std::size_t, std::optional<T>& place) {
    if (take_ == take_end_) [[unlikely]]
      leave_segment();
    place.emplace(std::move(*take_));
    std::destroy_at(take_);
    ++take_;
  }

  // Destroys the `count` values that are in it. Without the lock: nobody else knows this store.
  void clear(std::size_t count) noexcept {
    for (; count != 0; --count) {
      if (take_ == take_end_) leave_segment();
      std::destroy_at(take_);
      ++take_;
    }
  }

  // Without the lock. Throws: std::bad_alloc.
  void* allocate(std::size_t) const { return make_segment(segment_slots); }
  // Leaves in `memory` what is not needed, for discard().
  void install(void*& memory) noexcept { keep(static_cast<segment*>(std::exchange(memory, nullptr))); }

  // All spare memory but for one segment.
  void* surplus() noexcept { return spares_ != nullptr ? std::exchange(spares_->next, nullptr) : nullptr; }
  static void discard(void* segments) noexcept {  // Without the lock.
    for (auto* s = static_cast<segment*>(segments); s != nullptr;) {
      ::operator delete(std::exchange(s, s->next), std::align_val_t(alignment));
    }
  }

 private:
  struct segment {
    segment* next;
    std::size_t slots;
  };
  static constexpr std::size_t alignment = alignof(T) > alignof(segment) ? alignof(T) : alignof(segment);
  static constexpr std::size_t offset = (sizeof(segment) + alignof(T) - 1) / alignof(T) * alignof(T);
  static constexpr std::size_t segment_slots = sizeof(T) < 128 ? 2048 / sizeof(T) : 16;

  static segment* make_segment(std::size_t slots) {
    if (slots > (SIZE_MAX - offset) / sizeof(T)) throw std::bad_alloc();
    void* const memory = ::operator new(offset + slots * sizeof(T), std::align_val_t(alignment));
    return ::new (memory) segment{nullptr, slots};
  }
  static T* slots_of(segment* s) noexcept { return reinterpret_cast<T*>(reinterpret_cast<unsigned char*>(s) + offset); }
  void take_from_start() noexcept {
    take_ = slots_of(first_);
    take_end_ = take_ + first_->slots;
  }
  void keep(segment* s) noexcept {
    s->next = spares_;
    spares_ = s;
  }

  WEFT_NOINLINE void open_next_segment() noexcept {
    if (!is_ring_) {
      segment* const s = std::exchange(spares_, spares_->next);
      s->next = nullptr;
      last_ = last_->next = s;
    }
    put_ = slots_of(last_);
    put_end_ = put_ + last_->slots;
  }

  WEFT_NOINLINE void leave_segment() noexcept {
    if (!is_ring_) keep(std::exchange(first_, first_->next));
    take_from_start();
  }

  T* put_ = nullptr;  // The next free slot, and the end of its segment.
  T* put_end_ = nullptr;
  T* take_ = nullptr;  // The oldest value, and the end of its segment.
  T* take_end_ = nullptr;
  segment* first_ = nullptr;
  segment* last_ = nullptr;
  segment* spares_ = nullptr;  // Segments of an unbounded store that hold nothing.
  bool is_ring_;
};

}  // namespace weft::inline v0::detail
