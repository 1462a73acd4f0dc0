// Parking, as the mirror of submitting.
//
// Roles: this worker parks; others deliver to it (core::deliver_*, then core::kick()), or publish open work
//   (scheduler::wake_one_for(), scheduler::inject()).
// Invariant: a worker sleeps only if, after it could be seen to sleep, it saw nothing to do.
// Protocol:
//   park:    note := asleep;  full fence (announce in idle_cores);  re-scan own inboxes, open work, injection;  sleep
//   deliver: push;            full fence (kick);                    note := notified if it was not awake; wake by it
//   submit:  push;            full fence (core_to_wake);            claim a parked core; kick it
//   The note is the truth: a worker that finds it `notified` when it wants to sleep does not sleep.
#include "scheduler/scheduler_loop.h"

#include "platform/futex.h"
#include "platform/signal_hook.h"
#include "scheduler/chaos.h"
#include "scheduler/monitor.h"
#include "scheduler/suspend.h"
#include "scheduler/watchdog.h"

namespace weft::inline v0::detail {

namespace {
constexpr std::int64_t shortest_spin = 2'000;
constexpr std::int64_t poll_interval = 2'000;  // Between two looks at the poller while spinning.
constexpr std::int64_t yield_after = 10'000;   // From then on others may have the CPU between two looks.
}  // namespace

void core::run_worker() noexcept {
  const bool is_watched = watch_limit(owner.wanted) != 0;
  const alternate_stack for_handlers(owner.wanted.overflow_report || is_watched);
  if (is_watched) unblock_signal(where_signal);
  thread_id.store(this_thread_id(), relaxed);
  coarse_now.store(monotonic_now(), relaxed);
  set_here_word(reinterpret_cast<std::uintptr_t>(this));
  thread_exceptions = thread_exception_state();
  adopt_thread(thread_sanitizer);
  scheduler_loop loop(*this);
  while (const runnable next = loop.next()) {
    const destination d = destination_for(*this, next);
    if (d.to != nullptr) leave_thread_stack(*this, d);
  }
  if (reserve_ != nullptr) stacks.give(std::exchange(reserve_, nullptr));
  stacks.flush();
  set_here_word(0);
}

runnable scheduler_loop::next() noexcept {
  bool is_counted = false;
  for (;;) {
    core_.begin_round();
    runnable found = core_.take_delivered();
    if (!found) found = core_.pick();
    if (found) {
      if (is_counted && owner_.idle.leave_search() && owner_.sees_open_work()) wake_one_for(core_);
      return found;
    }
    // A fiber that was just ending when nothing was left may have been given a callback since.
    if (owner_.is_stopping() && !owner_.is_anything_left()) return {};
    if ((found = search(is_counted))) return found;
    is_counted = park();
  }
}

// `is_counted`: a submitter woke us and has counted us as searching. Where enough others search already, this core looks at
// nobody else's work, but goes on looking for its own: what comes soon to a fiber that waits here, a message say, must not
// find the core asleep.
runnable scheduler_loop::search(bool is_counted) noexcept {
  for (;;) {
    bool is_searcher = is_counted || owner_.idle.enter_search();
    is_counted = false;
    runnable found = is_searcher ? sweep() : runnable();
    if (!found) found = spin(is_searcher);
    if (!is_searcher) return found;
    const bool was_last = owner_.idle.leave_search();
    if (found) {
      if (was_last && owner_.sees_open_work()) wake_one_for(core_);
      return found;
    }
    // Where the monitor has ended the round, only a new one finds what is queued here: park() sees it, and does not sleep.
    if (!was_last || core_.round_is_over() || !owner_.sees_open_work()) return {};
  }
}

// One look at everybody, nearest first.
runnable scheduler_loop::sweep() noexcept {
  for (const std::uint16_t victim : core_.nearest) {
    if (const runnable r = owner_.cores[victim]->steal_for(core_)) {
      core_.counters.steals.add();
      return r;
    }
  }
  if (void* const f = owner_.injected.try_pop()) return runnable(static_cast<fiber_record*>(f));
  return {};
}

// A parked core takes tens of microseconds to wake, so looking on for a while is cheaper where work comes soon.
// `is_searcher`: may steal; becomes true where there is something to steal and too few do.
runnable scheduler_loop::spin(bool& is_searcher) noexcept {
  if (!owner_.may_spin || spin_ < shortest_spin) return {};
  const std::int64_t begin = monotonic_now();
  std::int64_t next_poll = begin + poll_interval;
  for (std::int64_t now = begin; now - begin < spin_; now = monotonic_now()) {
    for (int i = 0; i < 16; ++i) {
      if (core_.has_own_work() || (is_searcher && owner_.sees_open_work())) break;
      spin_pause();
    }
    if (now >= next_poll) {
      core_.begin_round();
      next_poll = now + poll_interval;
    }
    runnable found = core_.take_delivered();
    if (!found) found = core_.pick();
    if (!found && !is_searcher && owner_.sees_open_work()) is_searcher = owner_.idle.enter_search();
    if (!found && is_searcher) found = sweep();
    if (found) {
      spin_ = std::min(spin_ * 2, owner_.longest_spin);
      return found;
    }
    if (owner_.is_stopping()) return {};
    if (now - begin > yield_after) yield_thread();
  }
  spin_ = std::max(spin_ / 2, shortest_spin);
  return {};
}

// Returns whether a submitter woke us, and so counts us as searching.
bool scheduler_loop::park() noexcept {
  const bool in_poller = core_.events != nullptr && core_.events->parks_in_poller();
  const note_state asleep = in_poller ? note_state::in_poller : note_state::in_note;
  core_.note_.exchange(core::note_word(asleep), acq_rel);
  owner_.idle.announce(core_.index);  // Full fence: pairs with core::kick() and idle_cores::core_to_wake().
  chaos_point();
  if (!core_.has_own_work() && !owner_.sees_open_work() && !owner_.is_stopping()) {
    core_.counters.parks.add();
    core_.rounds.store(core_.rounds.load(relaxed) + 1, relaxed);
    sleep();
  }
  core_.note_.exchange(core::note_word(note_state::awake), acq_rel);  // Pairs with core::kick().
  const bool is_counted = !owner_.idle.withdraw(core_.index);
  // Its full fence is ours, too: pairs with core::kick(), which wakes nobody where it finds us notified already.
  owner_.tell_monitor_awake();
  return is_counted;
}

void scheduler_loop::sleep() noexcept {
  slept_at_ = monotonic_now();
  const std::int64_t deadline = core_.clockwork.next_deadline();
  if (core_.note_.load(relaxed) == core::note_word(note_state::in_poller)) {
    core_.events->park(deadline);
  } else {
    const std::uint32_t asleep = core::note_word(note_state::in_note);
    const bool has_timers = core_.events == nullptr || !core_.events->keeps_timers();
    while (core_.note_.load(acquire) == asleep) {  // Pairs with core::kick().
      if (futex_wait(core_.note_, asleep, has_timers ? deadline : never) != 0) break;
    }
    if (has_timers && !core_.clockwork.is_idle()) core_.clockwork.run_due(monotonic_now());
  }
  const std::int64_t now = monotonic_now();
  core_.coarse_now.store(now, relaxed);
  // Somebody brought work almost at once: looking on a little longer would have saved the sleep, and its waker the wake. A
  // timer or an event from outside says nothing of that kind, for spinning does not bring it sooner.
  const std::int64_t slept = now - slept_at_;
  if (owner_.may_spin && slept < std::max(spin_, owner_.first_spin) &&
      core_.note_.load(relaxed) == core::note_word(note_state::notified)) {
    spin_ = std::min(std::max(spin_, slept) * 2, owner_.longest_spin);
  }
}

}  // namespace weft::inline v0::detail
