// The timers of a core: a wheel and its lock.
//
// Roles: the core's fibers arm and disarm; whoever leads the core's poller, or stands in for a stuck worker, runs what
//   is due; any thread may disarm.
// Invariant: a timer is touched only under the lock, and never after disarm() has returned. So a timer may live in the
//   frame of the operation that it limits.
#pragma once

#include "base/timer_wheel.h"
#include "platform/clock.h"
#include "platform/spin_lock.h"
#include "scheduler/wait.h"

#include <weft/detail/atomic.h>

#include <cstddef>
#include <mutex>

namespace weft::inline v0::detail {

class timers {
 public:
  explicit timers(std::int64_t now) : wheel_(now) {}

  // Called under the lock when a timer is armed that is due before watch() promised to look.
  using wake_watcher = void (*)(void* watcher);
  void set_watcher(wake_watcher wake, void* watcher) noexcept {
    wake_ = wake;
    watcher_ = watcher;
  }

  // Requires: t.deadline is set, and is not `never`; t.fire() returns the record it claimed, or null.
  void arm(timer_node& t) noexcept;

  // Afterwards `t` is not armed and nobody touches it.
  void disarm(timer_node& t) noexcept;

  // Fires what is due at `now` and makes the claimed owners ready. Returns how many fired.
  std::size_t run_due(std::int64_t now) noexcept;

  // How many have fired so far: any thread, a moment late.
  std::uint64_t fired() const noexcept { return fired_.load(relaxed); }

  // Whether nothing is armed, without the lock: for the core that arms them.
  bool is_idle() const noexcept { return armed_.load(relaxed) == 0; }
  // The same for any thread, which then sees the waits claimed that have timed out.
  bool is_done() const noexcept { return armed_.load(acquire) == 0; }  // Pairs with run_due() and disarm().

  // The earliest moment at which something can be due; `never` if nothing is armed.
  std::int64_t next_deadline() noexcept;

  // As next_deadline(); and from now on a timer armed for earlier calls the watcher, until unwatch().
  std::int64_t watch() noexcept;
  void unwatch() noexcept;

 private:
  spin_lock lock_;
  timer_wheel wheel_;
  atomic<std::size_t> armed_{0};  // Written under the lock, as is the next.
  atomic<std::uint64_t> fired_{0};
  std::int64_t watched_until_ = -1;  // Earlier than any deadline: nobody watches.
  wake_watcher wake_ = nullptr;
  void* watcher_ = nullptr;
};

// The deadline of a wait.
struct wait_timer : timer_node {
  waiter who;
  timers* armed_in = nullptr;

  wait_timer(const waiter& w, std::int64_t when) noexcept;
};

}  // namespace weft::inline v0::detail
