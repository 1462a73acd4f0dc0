// The ring of ready fibers of one core: first in, first out, and half of it is open to thieves at a time.
//
// Roles: the *owner* pushes at the tail and pops at the head; *thieves* take from the head.
// Invariant: slots [head_, tail_) hold what is queued, each taken by exactly one successful exchange of `head_`. Both
//   numbers only grow, and with 64 bits they do not wrap, so an exchange cannot succeed on an old value.
// Protocol:
//   push (owner): see from the head that there is room, fill the slot, publish the tail.
//   pop (owner): read the slot at the head, move the head by one.
//   steal (thief): read the head, then the tail; copy the older half into free slots of the thief's own ring; move
//     the head over them; only then publish the own tail. A failed exchange leaves the copies unpublished.
#pragma once

#include "base/cache_line.h"

#include <bit>
#include <cstddef>
#include <cstdint>

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

namespace weft::inline v0::detail {

// Thread safety: push(), pop() and being the thief's ring belong to one owner thread at a time; steal_into() of
//   another ring, empty() and size_hint() to anyone.
// Ordering: what the owner did before push() is visible to whoever gets the element.
template <class T, std::uint32_t Capacity>
class alignas(cache_line) ready_ring {
  static_assert(Capacity >= 2 && std::has_single_bit(Capacity), "the slots are indexed by a mask");

 public:
  ready_ring() = default;
  ready_ring(const ready_ring&) = delete;
  ready_ring& operator=(const ready_ring&) = delete;

  // Owner. Returns: false, and nothing is queued, if the ring is full.
  WEFT_ALWAYS_INLINE bool push(T* element) noexcept {
    const std::uint64_t tail = tail_.load(relaxed);  // Only the owner writes it.
    // Acquire pairs with pop() and steal_into(): who emptied the slot has also read it.
    if (tail - head_.load(acquire) >= Capacity) return false;
    slot(tail).store(element, relaxed);
    tail_.store(tail + 1, release);  // Pairs with steal_into(): publishes the slot and the element.
    return true;
  }

  // Owner. Returns: the oldest element; null when empty.
  WEFT_ALWAYS_INLINE T* pop() noexcept {
    std::uint64_t head = head_.load(relaxed);  // A stale head fails the exchange.
    const std::uint64_t tail = tail_.load(relaxed);
    while (head != tail) {
      T* const element = slot(head).load(relaxed);
      // Release pairs with push(): the slot has been read; and with steal_into(): who sees this head sees a tail that
      // is not behind it.
      if (head_.compare_exchange_weak(head, head + 1, release, relaxed)) return element;
    }
    return nullptr;
  }

  // The owner of `mine` takes the older half of this ring, rounded up: it gets the oldest element back, to run at
  // once, and the others at the end of `mine`, as far as they fit.
  // Requires: `mine` is another ring.
  // Returns: null when there is nothing to take.
  T* steal_into(ready_ring& mine) noexcept {
    const std::uint64_t my_tail = mine.tail_.load(relaxed);  // Only the caller writes it.
    // Acquire pairs with thieves of `mine`, as in push(): the slots to be filled have been read.
    const std::uint64_t room = Capacity - (my_tail - mine.head_.load(acquire));
    std::uint64_t head = head_.load(acquire);  // Before the tail: the load below cannot move up.
    for (;;) {
      const std::uint64_t queued = tail_.load(acquire) - head;  // Pairs with push().
      if (queued == 0) return nullptr;
      std::uint64_t take = queued - queued / 2;  // Too many where the head is old; then the exchange fails.
      if (take > room + 1) take = room + 1;
      T* const oldest = slot(head).load(relaxed);
      for (std::uint64_t i = 1; i < take; ++i) {
        mine.slot(my_tail + i - 1).store(slot(head + i).load(relaxed), relaxed);
      }
      // Release pairs with push(): the slots have been read. Acquire on failure is as for the first load.
      if (!head_.compare_exchange_weak(head, head + take, release, acquire)) continue;
      if (take > 1) mine.tail_.store(my_tail + take - 1, release);  // Pairs with steal_into() by others.
      return oldest;
    }
  }

  // Hints: they may miss what is being pushed or popped at this moment.
  bool empty() const noexcept { return size_hint() == 0; }
  std::size_t size_hint() const noexcept {
    const std::uint64_t head = head_.load(relaxed);
    const std::uint64_t tail = tail_.load(relaxed);
    return tail > head ? static_cast<std::size_t>(tail - head) : 0;
  }

 private:
  atomic<T*>& slot(std::uint64_t position) noexcept { return slots_[position % Capacity]; }

  // On one line, on purpose: the owner needs both for each call, and a thief's visit then costs it one miss, not two.
  atomic<std::uint64_t> head_{0};  // Owner and thieves.
  atomic<std::uint64_t> tail_{0};  // Owner.
  atomic<T*> slots_[Capacity] = {};
};

}  // namespace weft::inline v0::detail
