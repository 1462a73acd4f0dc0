// Models build a scheduler without the runtime around it; the public handle of it is the scheduler itself.
#include "scheduler/scheduler_of.h"

namespace weft::inline v0::detail {

scheduler& scheduler_of(runtime& r) noexcept { return reinterpret_cast<scheduler&>(r); }

}  // namespace weft::inline v0::detail
