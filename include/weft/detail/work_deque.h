// The deque of un-started work of one core, after Chase and Lev, with the corrections found since.
//
// Roles: the *owner* pushes and pops at the bottom; *thieves* take from the top.
// Invariant: elements [top_, bottom_) are queued. An element leaves once: at the bottom by the owner alone while
//   others are left below it, else by the one successful exchange of `top_`. `top_` only grows; the numbers are
//   signed because an empty pop moves the bottom below the top for a moment.
// Protocol:
//   push (owner): fill the slot, publish the bottom. No fence: a thief that misses it is late, the owner is not.
//   pop (owner): announce the lower bottom, fence, read the top; only the last element is raced for.
//   steal (thief): read the top, fence, read the bottom, then the array and the slot, and only then move the top.
//   grow (owner): copy, publish the new array. The old ones live as long as the deque, so that a slow thief reads an
//     old copy of its slot, which is right if its exchange succeeds.
//   The two fences are ordered: the thief sees the lower bottom, or the owner sees the higher top. Where there are no
//     thieves the owner needs none.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <weft/detail/atomic.h>
#include <weft/detail/cache_line.h>
#include <weft/detail/config.h>

namespace weft::inline v0::detail {

// Thread safety: push(), pop() and take_oldest() belong to one owner thread at a time; the others to any thread.
// Ordering: what the owner did before push() is visible to whoever gets the element.
// Lifetime: the elements are not owned.
template <class T>
class work_deque {
 public:
  // `initial_capacity` is rounded up to a power of two. Without thieves nobody may call steal().
  // Throws: std::bad_alloc.
  explicit work_deque(std::size_t initial_capacity = 256, bool has_thieves = true)
      : array_(array::make(capacity_for(initial_capacity), nullptr)), has_thieves_(has_thieves) {}

  ~work_deque() {
    for (array* a = array_.load(relaxed); a != nullptr;) {
      array* const older = a->older;
      array::destroy(a);
      a = older;
    }
  }

  work_deque(const work_deque&) = delete;
  work_deque& operator=(const work_deque&) = delete;

  // Owner. Throws: std::bad_alloc when it cannot grow; then nothing has changed.
  WEFT_ALWAYS_INLINE void push(T* element) {
    if (!try_push(element)) [[unlikely]]
      throw std::bad_alloc();
  }

  // The same; false instead of the exception.
  WEFT_ALWAYS_INLINE bool try_push(T* element) noexcept {
    const std::int64_t bottom = bottom_.load(relaxed);  // Only the owner writes bottom and array.
    array* a = array_.load(relaxed);
    if (bottom - top_seen_ > a->mask) [[unlikely]] {
      a = make_room(bottom, a);
      if (a == nullptr) return false;
    }
    a->slot(bottom).store(element, relaxed);
    bottom_.store(bottom + 1, release);  // Pairs with steal(): publishes the slot and the element.
    return true;
  }

  // Owner. Returns: the newest element; null when empty.
  WEFT_ALWAYS_INLINE T* pop() noexcept {
    // The top only grows, so a stale one cannot say "empty".
    return top_.load(relaxed) < bottom_.load(relaxed) ? pop_expected() : nullptr;
  }

  // The same, for an owner that knows of an element that was there: cheaper, unless it is gone.
  WEFT_ALWAYS_INLINE T* pop_expected() noexcept {
    const std::int64_t bottom = bottom_.load(relaxed) - 1;
    array* const a = array_.load(relaxed);
    // Release, as in push(): a thief that reads this bottom goes on to the slots below it. The fence pairs with
    // steal().
    bottom_.store(bottom, release);
    if (has_thieves_) [[likely]]
      full_fence();
    std::int64_t top = top_.load(relaxed);
    T* element = nullptr;
    if (top < bottom) [[likely]]
      return a->slot(bottom).load(relaxed);
    if (top == bottom) {
      element = a->slot(bottom).load(relaxed);
      // One of us and the thieves gets the last element; the exchange publishes nothing.
      if (!top_.compare_exchange_strong(top, top + 1, relaxed, relaxed)) element = nullptr;
    }
    // Now equal to the top: empty. Release: it must not overtake the exchange, or a thief that still sees the last
    // element behind it would take that without what was published with it.
    bottom_.store(bottom + 1, release);
    return element;
  }

  // Owner. Returns: the oldest element; null when empty.
  T* take_oldest() noexcept {
    const std::int64_t bottom = bottom_.load(relaxed);
    std::int64_t top = top_.load(relaxed);  // A stale top fails the exchange.
    const array* const a = array_.load(relaxed);
    while (top < bottom) {
      T* const element = a->slot(top).load(relaxed);
      // One of us and the thieves gets it. It needs no fence, for this bottom does not move.
      if (top_.compare_exchange_weak(top, top + 1, relaxed, relaxed)) return element;
    }
    return nullptr;
  }

  // Any thread. Returns: the oldest element; null when there is none, or when another thread was quicker, which sets
  //   `lost` and makes a second try worth while.
  T* steal(bool& lost) noexcept {
    lost = false;
    std::int64_t top = top_.load(relaxed);              // A stale top fails the exchange.
    full_fence();                                       // Pairs with pop().
    const std::int64_t bottom = bottom_.load(acquire);  // Pairs with push() and pop().
    if (top >= bottom) return nullptr;
    // Acquire pairs with make_room(). The slot is read before the exchange: after it the owner may reuse it.
    T* const element = array_.load(acquire)->slot(top).load(relaxed);
    // One of all takers gets it. Release pairs with make_room(): the slot has been read.
    lost = !top_.compare_exchange_strong(top, top + 1, release, relaxed);
    return lost ? nullptr : element;
  }

  T* steal() noexcept {
    bool lost = false;
    return steal(lost);
  }

  // Hints, for any thread: they may miss what happens at this moment. For the owner, `true` from empty_hint() is
  // certain.
  bool empty_hint() const noexcept { return size_hint() == 0; }
  std::size_t size_hint() const noexcept {
    const std::int64_t top = top_.load(relaxed);
    const std::int64_t bottom = bottom_.load(relaxed);
    return bottom > top ? static_cast<std::size_t>(bottom - top) : 0;
  }

 private:
  // A power of two of slots behind a header, in one block.
  struct array {
    std::int64_t mask;
    array* older;

    atomic<T*>& slot(std::int64_t position) const noexcept {
      auto* const slots = reinterpret_cast<atomic<T*>*>(const_cast<array*>(this) + 1);
      return slots[position & mask];
    }

    static array* make(std::size_t capacity, array* older) {
      static_assert(alignof(atomic<T*>) <= alignof(array));
      if (capacity > (std::size_t{1} << 48)) throw std::bad_alloc();  // Beyond any address space.
      void* const memory = ::operator new(sizeof(array) + capacity * sizeof(atomic<T*>));
      auto* const made = ::new (memory) array{static_cast<std::int64_t>(capacity) - 1, older};
      for (std::size_t i = 0; i < capacity; ++i) {
        ::new (static_cast<void*>(&made->slot(static_cast<std::int64_t>(i)))) atomic<T*>(nullptr);
      }
      return made;
    }

    static void destroy(array* a) noexcept {
      const auto capacity = static_cast<std::size_t>(a->mask) + 1;
      for (std::size_t i = 0; i < capacity; ++i) std::destroy_at(&a->slot(static_cast<std::int64_t>(i)));
      ::operator delete(a);
    }
  };

  static constexpr std::size_t capacity_for(std::size_t wanted) noexcept {
    std::size_t capacity = 2;
    while (capacity < wanted && capacity < (std::size_t{1} << 62)) capacity *= 2;
    return capacity;
  }

  // Returns: the array to push into; null for want of memory.
  WEFT_COLD array* make_room(std::int64_t bottom, array* full) noexcept {
    // Acquire pairs with the exchange of steal(): a slot to be reused has been read.
    top_seen_ = top_.load(acquire);
    if (bottom - top_seen_ <= full->mask) return full;
    array* bigger = nullptr;
    try {
      bigger = array::make((static_cast<std::size_t>(full->mask) + 1) * 2, full);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    for (std::int64_t i = top_seen_; i < bottom; ++i) bigger->slot(i).store(full->slot(i).load(relaxed), relaxed);
    array_.store(bigger, release);  // Pairs with steal(): publishes the copies.
    return bigger;
  }

  alignas(cache_line) atomic<std::int64_t> bottom_{0};  // Owner; thieves read it.
  atomic<array*> array_;                                // Owner; thieves read it.
  std::int64_t top_seen_ = 0;                           // Owner only: not above `top_`, so the room it shows is there.
  const bool has_thieves_;

  alignas(cache_line) atomic<std::int64_t> top_{0};  // All takers.
};

}  // namespace weft::inline v0::detail
