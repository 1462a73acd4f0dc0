// The place of a select's case in an object's list of waiters, for whichever layer the object belongs to.
#pragma once

#include "scheduler/wait.h"

#include <weft/detail/select_case.h>

#include <new>

namespace weft::inline v0::detail {

// Requires: select() has enrolled the case, or is about to.
inline wait_node& wait_node_of(select_case& c) noexcept { return *std::launder(reinterpret_cast<wait_node*>(&c.node)); }

}  // namespace weft::inline v0::detail
