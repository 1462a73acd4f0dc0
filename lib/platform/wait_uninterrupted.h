// Waits of the kernel that signals do not end.
#pragma once

#include "platform/clock.h"

#include <cerrno>
#include <cstdint>
#include <ctime>

namespace weft::inline v0::detail {

// Calls `call(timeout)` with the time until `deadline`, null for `never`, and again with what is left of it where it was
// interrupted: by a profiler's signal, or by being stopped and continued. Neither must make an idle core look busy.
template <class Call>
int wait_uninterrupted(std::int64_t deadline, Call call) noexcept {
  for (;;) {
    const std::int64_t delay = delay_until(deadline);
    const timespec timeout = to_timespec(delay);
    const int result = call(delay == never ? nullptr : &timeout);
    if (result != -EINTR) return result;
  }
}

}  // namespace weft::inline v0::detail
