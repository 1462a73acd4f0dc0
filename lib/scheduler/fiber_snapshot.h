// All fibers of a runtime, looked at one by one while they go on, and who of them waits for whom.
#pragma once

#include <weft/dump.h>

#include <cstdint>
#include <vector>

namespace weft::inline v0::detail {

class scheduler;

enum class with_backtraces : bool { no, yes };

// Any thread that keeps the runtime alive. Throws: std::bad_alloc.
runtime_dump take_dump(scheduler& s, with_backtraces how);

}  // namespace weft::inline v0::detail
