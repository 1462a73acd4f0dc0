// From any std::chrono duration or steady time point to the std::int64_t nanoseconds that lib/ counts in.
// Everything saturates: what lies in the past becomes 0, what does not fit becomes `never`.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <weft/detail/config.h>

namespace weft::inline v0::detail {

// The deadline that does not come, and the delay that does not end.
inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

__extension__ using wide_int = __int128;  // __extension__: quiet under -pedantic.

// The length of `duration` in nanoseconds, rounded up so that no wait ends early.
// Returns: 0 for a negative length and for NaN, `never` for one that does not fit, infinity included.
template <class Rep, class Period>
constexpr std::int64_t to_delay_ns(const std::chrono::duration<Rep, Period>& duration) noexcept {
  using ratio = std::ratio_divide<Period, std::nano>;
  if constexpr (std::is_integral_v<Rep>) {
    // At most 64 + 63 bits: the product fits the 127 bits of `wide_int`.
    const wide_int product = static_cast<wide_int>(duration.count()) * ratio::num;
    if (product <= 0) return 0;
    const wide_int ns = product / ratio::den + (product % ratio::den != 0 ? 1 : 0);
    return ns >= never ? never : static_cast<std::int64_t>(ns);
  } else if constexpr (std::is_floating_point_v<Rep>) {
    using real = std::common_type_t<Rep, double>;
    const real ns = static_cast<real>(duration.count()) * static_cast<real>(ratio::num) / static_cast<real>(ratio::den);
    if (!(ns > 0)) return 0;
    if (ns >= static_cast<real>(9223372036854775808.0)) return never;
    const auto whole = static_cast<std::int64_t>(ns);
    return static_cast<real>(whole) < ns ? whole + 1 : whole;
  } else {
    // A number class of the user's own: `double` is the common ground, exact to 2^53 ns (104 days).
    return to_delay_ns(std::chrono::duration_cast<std::chrono::duration<double, std::nano>>(duration));
  }
}

// The deadline `delay_ns` after `now_ns`, both in nanoseconds.
// Requires: now_ns >= 0.
// Returns: `now_ns` for a delay that is not positive, `never` on overflow.
constexpr std::int64_t saturated_deadline(std::int64_t now_ns, std::int64_t delay_ns) noexcept {
  if (delay_ns <= 0) return now_ns;
  return delay_ns >= never - now_ns ? never : now_ns + delay_ns;
}

// `time` on the clock of lib/, which is the clock below std::chrono::steady_clock.
template <class Duration>
constexpr std::int64_t to_deadline_ns(
    const std::chrono::time_point<std::chrono::steady_clock, Duration>& time) noexcept {
  return to_delay_ns(time.time_since_epoch());
}

// How long it is until `time` on a clock of any kind, read once now: later jumps of that clock are not followed.
// Returns: 0 when `time` has passed.
template <class Clock, class Duration>
std::int64_t delay_until_ns(const std::chrono::time_point<Clock, Duration>& time) {
  const std::int64_t target = to_delay_ns(time.time_since_epoch());
  const std::int64_t now = to_delay_ns(Clock::now().time_since_epoch());
  if (target == never) return never;
  return target > now ? target - now : 0;
}

}  // namespace weft::inline v0::detail
