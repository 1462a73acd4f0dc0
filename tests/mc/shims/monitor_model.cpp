// No monitor: what it does is wake what is stuck, and models are to be right without that.
#include "scheduler/monitor.h"

#include "scheduler/scheduler.h"

namespace weft::inline v0::detail {

monitor::monitor(scheduler& s) : scheduler_(s) {}
monitor::~monitor() = default;
void monitor::wake() noexcept {}

}  // namespace weft::inline v0::detail
