// The values of fiber_local variables that one fiber, or one plain thread, has.
#pragma once

#include <weft/fiber_local.h>

namespace weft::inline v0::detail {

struct activation;
struct local_table;
class fiber_record;

// Destroys all values in `locals`, the newest first, and those that are made meanwhile; `locals` is null afterwards.
// The values' destructors may suspend. Requires: the caller is the owner.
void end_locals(local_table*& locals) noexcept;

// The fiber-locals and the context of `f`, which runs on `me` and is about to end. Requires: a shield is open.
void end_variables(activation& me, fiber_record& f) noexcept;

// The same before somebody is told that `f` has ended, who must find its variables gone. Nothing, if the calling fiber is
// another one.
void end_variables_early(fiber_record& f) noexcept;

// After the end of fiber `f`: the same for what is made by code that still runs on its stack. Nothing, if that is some
// other fiber's.
void end_late_locals(const fiber_record& f) noexcept;

}  // namespace weft::inline v0::detail
