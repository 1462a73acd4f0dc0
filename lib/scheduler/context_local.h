// The contexts of fibers: arrays of values, counted and shared, copied when one of their holders sets a variable.
#pragma once

#include <weft/context_local.h>

namespace weft::inline v0::detail {

class fiber_record;

// Whether any variable was ever set in this process: until then nobody has a context. A stale `false` cannot be: a
// fiber's own set(), and that of its ancestors, happened before it spawns.
extern atomic<bool> contexts_are_in_use;

// One reference more.
context_array* share(context_array* a) noexcept;

// Hands the caller's context on to a fiber that is about to be launched.
WEFT_COLD void inherit_context(fiber_record& f) noexcept;

}  // namespace weft::inline v0::detail
