// The moment at which a call gives up: the optional last argument of everything that may wait.
//
//   stream.read(buffer, 5s);                                    // five seconds from now
//   stream.read(buffer, std::chrono::steady_clock::now() + 5s); // the same moment
//   stream.read(buffer);                                        // no limit
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/duration.h>

#include <chrono>
#include <cstdint>

namespace weft::inline v0 {

namespace detail {
// The moment `delay_ns` from now on the monotonic clock; `never` on overflow.
WEFT_API std::int64_t moment_after(std::int64_t delay_ns) noexcept;
}  // namespace detail

// A moment on the monotonic clock, or never. Setting the system's clock moves no deadline.
//
// A duration counts from the conversion, so one deadline may bound several calls. What does not fit
// (hours::max()) means never. A deadline in the past, or a duration of zero or less, still lets a call do
// what it can without waiting. What waits until a deadline ends then or a little later, together with others: by a 512th of
// the wait, and a millisecond at most.
class deadline {
 public:
  // Never.
  constexpr deadline() noexcept = default;

  template <class Rep, class Period>
  deadline(const std::chrono::duration<Rep, Period>& timeout) noexcept
      : nanoseconds_(detail::moment_after(detail::to_delay_ns(timeout))) {}

  template <class Duration>
  constexpr deadline(const std::chrono::time_point<std::chrono::steady_clock, Duration>& moment) noexcept
      : nanoseconds_(detail::to_deadline_ns(moment)) {}

  static constexpr deadline never() noexcept { return deadline(); }

  constexpr bool is_never() const noexcept { return nanoseconds_ == detail::never; }

  // Since the epoch of std::chrono::steady_clock; the largest value for never.
  constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

  friend constexpr bool operator==(const deadline&, const deadline&) noexcept = default;
  friend constexpr auto operator<=>(const deadline&, const deadline&) noexcept = default;

 private:
  std::int64_t nanoseconds_ = detail::never;
};

}  // namespace weft::inline v0
