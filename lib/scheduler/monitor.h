// One thread a runtime that looks after cores whose worker does not move.
//
// While any core is awake it looks once a millisecond: a core whose round count has not moved since the last look is
// stuck in a long-running fiber. Its reactor thread stands in for it, and if it holds work that others could run, one
// of them is woken to fetch it. After 50 ms with every core parked the monitor sleeps until one wakes; once, after a second
// of that, it gives the memory of pooled stacks back.
#pragma once

#include "platform/thread.h"
#include "scheduler/dump_signal.h"
#include "scheduler/watchdog.h"

#include <weft/detail/atomic.h>

#include <cstdint>
#include <vector>

namespace weft::inline v0::detail {

class scheduler;

class monitor {
 public:
  explicit monitor(scheduler& s);
  ~monitor();  // Ends the thread.

  // Any thread, and signal handlers. A dump of the runtime goes to the sink of its options.
  void ask_for_dump() noexcept;

  // Any worker, after it has left the parked state. One load, and at most one wake-up for each sleep of the monitor.
  void core_awake() noexcept {
    full_fence();  // Pairs with run(): it sees us awake, or we see it asleep.
    if (asleep_.load(relaxed) != 0) wake();
  }

 private:
  void run() noexcept;
  void look() noexcept;
  void stamp_clocks(std::int64_t now) noexcept;
  std::int64_t tell_standstill() noexcept;
  void sleep(std::int64_t quiescent_at) noexcept;
  void wake() noexcept;
  bool all_parked() const noexcept;

  scheduler& scheduler_;
  atomic<std::uint32_t> asleep_{0};  // A futex word.
  atomic<std::uint32_t> stop_{0};    // A futex word.
  atomic<bool> dump_asked_{false};
  bool standstill_is_told_ = false;
  std::vector<std::uint32_t> seen_rounds_;
  watchdog watchdog_;
  const dump_request_entry on_signal_;
  native_thread thread_;
};

}  // namespace weft::inline v0::detail
