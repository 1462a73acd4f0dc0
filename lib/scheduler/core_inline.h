// The hot paths of a core: what every spawn, wake, yield and switch goes through.
#pragma once

#include "scheduler/chaos.h"
#include "scheduler/core.h"
#include "scheduler/enqueue.h"

#include <utility>

namespace weft::inline v0::detail {

inline void core::queue_ready(activation& a) noexcept {
  if (a.is_bound()) {
    if (chaos_says(4)) {
      bound_ready_.push_front(a);
    } else {
      bound_ready_.push_back(a);
    }
  } else if (!open_overflow_.empty() || !open_ready_.push(&a)) {
    open_overflow_.push_back(a);
  }
}

inline activation* core::pop_open() noexcept {
  if (open_ready_.empty() && !open_overflow_.empty()) [[unlikely]]
    refill_ring();
  if (chaos_says(4)) turn_ring();
  return open_ready_.pop();
}

inline activation* core::pop_bound() noexcept {
  activation* const a = bound_ready_.pop_front();
  if (!hints_.empty()) [[unlikely]] {
    hints_.fetch_next();
    __builtin_prefetch(bound_ready_.front());
    __builtin_prefetch(reinterpret_cast<const std::byte*>(bound_ready_.front()) + cache_line);
  }
  return a;
}

inline void core::put_ready(activation& a) noexcept {
  if (current != nullptr && a.is_bound() && !chaos_says(4)) [[likely]] {
    if (bound_next_ != nullptr) bound_ready_.push_back(*bound_next_);
    bound_next_ = &a;
  } else {
    put_ready_elsewhere(a);
  }
}

inline void core::put_back(activation& a) noexcept {
  a.run.store(run_state::ready, relaxed);  // Nobody else knows of it until it is queued.
  const bool is_bound = a.is_bound();      // Read first: once it is queued a thief may run it.
  if (chaos_carries_off(a)) return;
  if (is_overdue.load(relaxed)) [[unlikely]] {
    put_behind_events(a, is_bound);
    return;
  }
  queue_ready(a);
  if (!is_bound) [[unlikely]]
    wake_one_for(*this);
}

inline void core::put_unstarted(fiber_record& f) {
  // Counted first: a thief may have ended it before we go on, and then nobody may believe that no fiber is left.
  counters.spawned.add();
  try {
    if (chaos_carries_off(f)) return;
    spawned_.push(&f);
  } catch (...) {
    counters.ended.add();
    throw;
  }
  wake_one_for(*this);
}

inline activation* core::take_next() noexcept {
  if (bound_next_ != nullptr) return std::exchange(bound_next_, nullptr);
  if (open_next_.load(relaxed) == nullptr) return nullptr;  // Only the owner fills it.
  return open_next_.exchange(nullptr, acq_rel);             // Pairs with put_ready(); a rescuer may be quicker.
}

WEFT_ALWAYS_INLINE runnable core::pick() noexcept {
  if (is_overdue.load(relaxed)) [[unlikely]]
    end_round();
  if (budget_ == 0 || --budget_ == 0) [[unlikely]]
    return {};
  if (++next_chain_ <= longest_next_chain) [[likely]] {
    if (activation* const a = take_next()) return runnable(a);
  }
  cut_chain();
  if (budget_ % 16 == 0) [[unlikely]] {
    if (const runnable due = pick_by_turn()) return due;
  }
  // Ready and un-started fibers take turns: fibers that yield and spawn would otherwise spawn faster than anything starts.
  if (budget_ % 2 != 0) {
    if (fiber_record* const f = take_fresh()) return runnable(f);
  }
  if (activation* const a = pop_bound()) return runnable(a);
  if (!open_ready_.empty() || !open_overflow_.empty()) {
    if (activation* const a = pop_open()) return runnable(a);
  }
  if (budget_ % 2 == 0) {
    if (fiber_record* const f = take_fresh()) return runnable(f);
  }
  return runnable(take_next());
}

// A chain of wakes through `next` has had its turn, or there was none. What waits behind it joins the queue.
inline void core::cut_chain() noexcept {
  next_chain_ = 0;
  if (open_next_.load(relaxed) == nullptr) return;
  if (activation* const a = open_next_.exchange(nullptr, acq_rel)) queue_ready(*a);
}

inline fiber_record* core::take_fresh() noexcept {
  if (inbox_node* const n = wanted_.pop_front()) return static_cast<fiber_record*>(n);
  if (!stackless_.empty() && reserve_ != nullptr) [[unlikely]]
    return static_cast<fiber_record*>(stackless_.pop_front());
  if (chaos_says(4)) return spawned_.take_oldest();
  return spawned_.pop();
}

// A fiber may be woken while it is still leaving: the waker then sees `leaving`, leaves it to us, and we see its mark.
inline void core::publish(activation& left) noexcept {
  const std::uint64_t wait_bits = left.word.load();
  const fiber_record* const occupant = left.occupant.load(relaxed);
  chaos_point();
  run_state expected = run_state::leaving;
  // Release: the saved context, for whoever resumes. Sequentially consistent, with the load of the marks behind it:
  // pairs with request_cancel(), which sets a mark and then looks for a wait to claim.
  if (!left.run.compare_exchange_strong(expected, run_state::suspended, seq_cst, acquire)) [[unlikely]] {
    enqueue(left);
    return;
  }
  // The fiber may be running elsewhere, or have ended, by now. Its record is type-stable, and the epoch read above
  // claims nothing unless the fiber still waits in it, so that the marks are its own.
  fence_after_exchange();
  const std::uint8_t cancelled = occupant->cancelled_levels();
  if (cancelled != 0 && wait_word::is_open_to(wait_bits, cancelled) != 0) [[unlikely]] {
    cancel_published(left, wait_word::epoch_of(wait_bits));
  }
}

inline void core::recycle(activation& left) noexcept {
  destroy_identity(left.sanitizer);
  if (left.is_reserve) [[unlikely]] {
    reserve_ = &left;
  } else {
    stacks.give(&left);
  }
}

WEFT_ALWAYS_INLINE void core::settle(saved_context from) noexcept {
  activation* const left = departed;
  switch (departed_as) {
    case departure::suspending:
      left->context = from;
      publish(*left);
      break;
    case departure::yielding:
      left->context = from;
      put_back(*left);
      break;
    case departure::ending:
      recycle(*left);
      break;
    case departure::thread:
      thread_context = from;
      break;
  }
}

}  // namespace weft::inline v0::detail
