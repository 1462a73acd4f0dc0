#include <cfenv>

#include "platform/thread.h"

namespace weft::inline v0::detail {

bool under_hypervisor() noexcept { return false; }

void set_default_float_control() noexcept { std::fesetenv(FE_DFL_ENV); }

}  // namespace weft::inline v0::detail
