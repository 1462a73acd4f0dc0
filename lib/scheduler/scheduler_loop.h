// What a worker does on its own thread stack: look outside, search, spin, park.
#pragma once

#include "scheduler/scheduler.h"

namespace weft::inline v0::detail {

class scheduler_loop {
 public:
  explicit scheduler_loop(core& c) noexcept : core_(c), owner_(c.owner), spin_(c.owner.first_spin) {}

  // The next thing to run, once there is one; nothing when the scheduler stops.
  runnable next() noexcept;

 private:
  runnable search(bool is_counted) noexcept;
  runnable sweep() noexcept;
  runnable spin(bool& is_searcher) noexcept;
  bool park() noexcept;
  void sleep() noexcept;

  core& core_;
  scheduler& owner_;
  std::int64_t spin_;          // How long a search goes on, in nanoseconds; adapted.
  std::int64_t slept_at_ = 0;  // When the last sleep began.
};

}  // namespace weft::inline v0::detail
