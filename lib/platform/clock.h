// The one clock of weft: CLOCK_MONOTONIC in nanoseconds, read through the system-call table so that virtual time can
// stand in for it. It is the clock below std::chrono::steady_clock, so to_deadline_ns() needs no reading.
#pragma once

#include <time.h>

#include <cstdint>

#include <weft/detail/duration.h>

namespace weft::inline v0::detail {

// Returns: nanoseconds since some fixed moment, never negative, never going back.
// Blocks: never (a vDSO call, about 30 ns).
std::int64_t monotonic_now() noexcept;

// Returns: the moment `delay_ns` from now; now when it is not positive, `never` on overflow. The clock is not read for
//   a delay of `never`.
std::int64_t deadline_after(std::int64_t delay_ns) noexcept;

// Returns: how long it is until `deadline`; 0 when it has passed, `never` for `never`. The clock is not read for
//   deadlines of `never` and of 0 or less.
std::int64_t delay_until(std::int64_t deadline) noexcept;

// The kernel's form of a moment or a length; a negative one becomes 0.
constexpr timespec to_timespec(std::int64_t ns) noexcept {
  if (ns < 0) ns = 0;
  timespec result{};
  result.tv_sec = static_cast<decltype(result.tv_sec)>(ns / 1'000'000'000);
  result.tv_nsec = static_cast<decltype(result.tv_nsec)>(ns % 1'000'000'000);
  return result;
}

}  // namespace weft::inline v0::detail
