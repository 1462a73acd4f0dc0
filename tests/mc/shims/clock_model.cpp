#include "platform/clock.h"

#include <weft/mc/blocking.h>

namespace weft::inline v0::detail {

std::int64_t monotonic_now() noexcept { return mc::clock_now(); }

std::int64_t deadline_after(std::int64_t delay_ns) noexcept {
  if (delay_ns == never) return never;
  const std::int64_t now = monotonic_now();
  if (delay_ns <= 0) return now;
  return delay_ns > never - now ? never : now + delay_ns;
}

std::int64_t delay_until(std::int64_t deadline) noexcept {
  if (deadline == never) return never;
  const std::int64_t now = monotonic_now();
  return deadline > now ? deadline - now : 0;
}

}  // namespace weft::inline v0::detail
