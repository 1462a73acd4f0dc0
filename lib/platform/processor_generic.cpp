#include <cfenv>

#include "platform/thread.h"

namespace weft::inline v0::detail {

bool under_hypervisor() noexcept { return false; }

void set_default_float_control() noexcept { std::fesetenv(FE_DFL_ENV); }

std::uint64_t float_control() noexcept { return static_cast<std::uint64_t>(std::fegetround()); }

void set_float_control(std::uint64_t control) noexcept { std::fesetround(static_cast<int>(control)); }

}  // namespace weft::inline v0::detail
