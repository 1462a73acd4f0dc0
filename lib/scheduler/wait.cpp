#include "scheduler/wait.h"

#include "platform/clock.h"
#include "platform/futex.h"
#include "scheduler/enqueue.h"
#include "scheduler/plain_thread.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"
#include "scheduler/wait_inline.h"

#include <algorithm>
#include <bit>

namespace weft::inline v0::detail {

namespace {

// One real frame between the caller and the switch: each frame more costs a mispredicted return when the two
// sides have different call chains.
WEFT_NOINLINE void suspend_here(activation& a) noexcept { suspend(*here(), a); }

// Waits of much the same length end together, so that the core wakes once for many: a wait is as much as a 512th longer than
// asked for, and never more than a millisecond.
std::int64_t rounded_up(std::int64_t deadline, std::int64_t now) noexcept {
  constexpr std::int64_t coarsest = 1 << 20;
  const auto exact = static_cast<std::uint64_t>(std::clamp<std::int64_t>((deadline - now) / 512, 1, coarsest));
  const auto step = static_cast<std::int64_t>(std::bit_floor(exact));
  return deadline > never - coarsest ? deadline : (deadline + step - 1) & -step;
}

void suspend_until(activation& a, const waiter& w, std::int64_t deadline) noexcept {
  core& c = *here();
  wait_timer limit(w, rounded_up(deadline, c.coarse_now.load(relaxed)));
  a.timed_epoch.store(w.epoch, relaxed);  // Reports only.
  timers& armed_in = c.clockwork;
  armed_in.arm(limit);
  suspend_here(a);
  // Wherever we run now, the timer is still in the wheel of the core where it was armed, unless it fired.
  if (a.reason != wake_reason::timed_out) armed_in.disarm(limit);
}

void sleep_until_woken(thread_record& t, const waiter& w, std::int64_t deadline) noexcept {
  while (t.woken.load(acquire) == 0) {  // Pairs with make_ready().
    if (futex_wait(t.woken, 0, deadline) != 0) {
      if (claim(w, wake_reason::timed_out)) return;
      deadline = never;  // Somebody claimed the wait, and their wake is on its way.
    }
  }
}

}  // namespace

waiter begin_wait(bool cancellable, const char* call) noexcept {
  core* const c = here();
  if (c != nullptr && c->current != nullptr) {
    return begin_wait_in(*c, cancellable, call);
  }
  thread_record& t = this_thread_record();
  t.reason = wake_reason::none;
  t.woken.store(0, relaxed);
  return {&t, t.word.open(0)};
}

wake_reason finish_wait(const waiter& w, std::int64_t deadline) noexcept {
  if (w.record->is_thread) {
    sleep_until_woken(thread_record_of(*w.record), w, deadline);
  } else if (deadline == never) {
    suspend_here(activation_of(*w.record));
  } else {
    suspend_until(activation_of(*w.record), w, deadline);
  }
  return w.record->reason;
}

void note_target(const waiter& w, const void* object, owner_finder find) noexcept {
  if (w.record->is_thread) return;
  activation& a = activation_of(*w.record);
  a.target.store(object, relaxed);
  a.target_owners.store(find, relaxed);
  a.target_epoch.store(w.epoch, release);  // Pairs with owners_of_wait().
}

wake_reason retract_wait(const waiter& w) noexcept {
  if (!w.record->word.claim(w.epoch)) return finish_wait(w, never);
  w.record->reason = wake_reason::none;
  if (!w.record->is_thread) activation_of(*w.record).run.store(run_state::running, relaxed);
  return wake_reason::none;
}

void make_ready(wait_record& record) noexcept {
  if (record.is_thread) {
    atomic<std::uint32_t>& woken = thread_record_of(record).woken;
    woken.store(1,
                release);  // Pairs with sleep_until_woken(). The record may be in its next wait from here on.
    futex_wake(woken, 1);
    return;
  }
  activation& a = activation_of(record);
  chaos_point();
  // Acquire: the saved context, where it is suspended. Release: what we did, for the fiber. While it is leaving, the
  // post-switch action finds our mark and enqueues it: it must not run while its stack is still in use.
  if (a.run.exchange(run_state::ready, acq_rel) == run_state::suspended) enqueue(a);
}

void enqueue(activation& a) noexcept {
  core* const c = here();
  core& home = *a.seat.load(relaxed);
  const bool is_bound = a.is_bound();
  if (c != nullptr && &c->owner == &home.owner) {
    if (is_bound && c != &home) {
      home.deliver_bound(a);
    } else {
      c->put_ready(a);
    }
    return;
  }
  const scheduler::visit inside(home.owner);  // The fiber may end its runtime while we are still waking its core.
  if (is_bound) {
    home.deliver_bound(a);
  } else {
    home.deliver_open(a);
  }
}

}  // namespace weft::inline v0::detail
