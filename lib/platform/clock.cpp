#include "platform/clock.h"

#include "platform/system_calls.h"

namespace weft::inline v0::detail {
namespace {

// The clock below std::chrono::steady_clock, which to_deadline_ns() counts on.
#ifdef __APPLE__
constexpr clockid_t monotonic_clock = CLOCK_MONOTONIC_RAW;
#else
constexpr clockid_t monotonic_clock = CLOCK_MONOTONIC;
#endif

}  // namespace

std::int64_t monotonic_now() noexcept {
  timespec now{};
  sys().clock_gettime(monotonic_clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t deadline_after(std::int64_t delay_ns) noexcept {
  return delay_ns == never ? never : saturated_deadline(monotonic_now(), delay_ns);
}

std::int64_t delay_until(std::int64_t deadline) noexcept {
  if (deadline == never) return never;
  if (deadline <= 0) return 0;
  const std::int64_t now = monotonic_now();
  return deadline > now ? deadline - now : 0;
}

}  // namespace weft::inline v0::detail
