// The reactor of a core: turns readiness into ready fibers, and runs the core's timers.
//
// Roles: the core's *worker*; its *reactor thread*. Whoever holds the *lead*, a try-lock, may take events from the
//   poller, and dispatches all that it took.
// Modes:
//   adaptive   The worker leads in passing, without blocking, and parks inside the poller, or in its note while no
//              descriptor is registered. While it is stuck in a fiber (the monitor says so), the reactor thread stands
//              in: it waits until something is ready, without taking it, then tries the lead. It goes back to sleep when
//              it finds that the worker moves again.
//   dedicated  The reactor thread holds the lead for good; the worker sleeps in its note.
//   inlined    As adaptive, without a reactor thread.
#pragma once

#include "platform/poller.h"
#include "platform/thread.h"
#include "reactor/slot_table.h"
#include "scheduler/core.h"
#include "scheduler/event_source.h"

#include <weft/options.h>

#include <functional>

namespace weft::inline v0::detail {

class reactor final : public event_source {
 public:
  // Throws: std::system_error when the poller cannot be made.
  reactor(core& of, slot_table& slots, reactor_mode mode);
  ~reactor() override;

  // Starts the reactor thread, where the mode has one. `prepare` runs first on it.
  void start(const std::function<void()>& prepare);

  // Requires: the worker has ended, or never started.
  void stop() noexcept;

  // The reactor of the core that runs this code. Requires: a worker thread.
  static reactor& here() noexcept { return static_cast<reactor&>(*detail::here()->events); }

  slot_table& slots() noexcept { return slots_; }
  scheduler& owner() noexcept { return core_.owner; }

  // Any thread. Events of `s` go to its fibers from now on; what is ready already is reported at once.
  // Returns: 0, errno.
  int add(slot& s) noexcept;
  void remove(slot& s) noexcept;

  // Any thread. Claims the wait that `before`, taken out of a readiness word, says is under way.
  // Returns: null, or what make_ready() has to follow for.
  static wait_record* claim_waiting(scheduler& owner, readiness::state before, wake_reason why) noexcept;
  // The same with make_ready(). Requires: the runtime cannot end meanwhile.
  static void wake_waiting(scheduler& owner, readiness::state before, wake_reason why) noexcept;

  bool poll() noexcept override;
  // Only fibers of this core register, and none runs while its worker parks.
  bool parks_in_poller() const noexcept override { return mode_ != reactor_mode::dedicated && has_descriptors(); }
  bool keeps_timers() const noexcept override { return mode_ == reactor_mode::dedicated; }
  void park(std::int64_t deadline) noexcept override;
  void wake() noexcept override { poller_.wake(); }
  void stand_in() noexcept override;
  bool has_descriptors() const noexcept override { return registered_.load(relaxed) != 0; }

 private:
  bool try_lead() noexcept { return !lead_.exchange(true, acquire); }  // Pairs with drop_lead().
  void wait_for_lead() noexcept;
  void drop_lead() noexcept { lead_.store(false, release); }
  int take_events(std::int64_t deadline) noexcept;
  void dispatch(const ready_event& e) noexcept;
  bool run_timers() noexcept;

  void stand_by() noexcept;
  void lead_for_good() noexcept;
  bool worker_moves() const noexcept;

  core& core_;
  slot_table& slots_;
  const reactor_mode mode_;
  poller poller_;
  alignas(cache_line) atomic<bool> lead_{false};
  atomic<std::size_t> registered_{0};
  atomic<std::uint32_t> standing_in_{0};  // A futex word.
  atomic<std::uint32_t> rounds_when_stuck_{0};
  atomic<bool> stop_{false};
  native_thread thread_;
};

}  // namespace weft::inline v0::detail
