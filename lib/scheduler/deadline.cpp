#include <weft/deadline.h>

#include "platform/clock.h"
#include "scheduler/core.h"

namespace weft::inline v0::detail {

namespace {
constexpr std::int64_t clock_error = 1'000;  // The quick clock may be behind by as much, and no wait may end early.
}

std::int64_t moment_after(std::int64_t delay_ns) noexcept {
  core* const c = here();
  if (c == nullptr || delay_ns <= 0) return deadline_after(delay_ns);
  const std::int64_t now = c->clock.now() + clock_error;
  return delay_ns < never - now ? now + delay_ns : never;
}

}  // namespace weft::inline v0::detail
