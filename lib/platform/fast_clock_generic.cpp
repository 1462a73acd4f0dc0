// Processors whose kernel clock is cheap already, or whose counter is too coarse to be worth it.
#include "platform/clock.h"
#include "platform/fast_clock.h"

namespace weft::inline v0::detail {

fast_clock::fast_clock() noexcept : real_(&real_system_calls()) {}

std::int64_t fast_clock::compare() noexcept { return monotonic_now(); }

}  // namespace weft::inline v0::detail
