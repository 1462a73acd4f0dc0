// Where code was when a signal interrupted it.
#pragma once

#include "platform/signal_hook.h"

#include <cstddef>

namespace weft::inline v0::detail {

// Calls `visit(argument, code, is_return)` for each frame of the interrupted code, the innermost first, until it returns
// false. Only in the handler of `event`. It follows the compilers' unwind tables, so it needs no frame pointers.
void walk_interrupted(const signal_event& event, bool (*visit)(void* argument, const void* code, bool is_return),
                      void* argument) noexcept;

}  // namespace weft::inline v0::detail
