#include <weft/deadline.h>

#include "platform/clock.h"

namespace weft::inline v0::detail {

std::int64_t moment_after(std::int64_t delay_ns) noexcept { return deadline_after(delay_ns); }

}  // namespace weft::inline v0::detail
