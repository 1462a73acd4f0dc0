// No monitor: what it does is wake what is stuck, and models are to be right without that.
#include "scheduler/monitor.h"

#include "scheduler/scheduler.h"

namespace weft::inline v0::detail {

monitor::monitor(scheduler& s) : scheduler_(s), watchdog_(s), on_signal_(*this, 0) {}
monitor::~monitor() = default;
void monitor::wake() noexcept {}
void monitor::ask_for_dump() noexcept {}

}  // namespace weft::inline v0::detail
