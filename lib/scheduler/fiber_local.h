// The values of fiber_local variables that one fiber, or one plain thread, has.
#pragma once

#include <weft/fiber_local.h>

namespace weft::inline v0::detail {

struct local_table;
class fiber_record;

// Destroys all values in `locals`, the newest first, and those that are made meanwhile; `locals` is null afterwards.
// The values' destructors may suspend. Requires: the caller is the owner.
void end_locals(local_table*& locals) noexcept;

// After the end of fiber `f`: the same for what is made by code that still runs on its stack. Nothing, if that is some
// other fiber's.
void end_late_locals(const fiber_record& f) noexcept;

}  // namespace weft::inline v0::detail
