// What can be told of a fiber from outside, while it goes on.
#pragma once

#include <weft/runtime.h>

#include <string>

namespace weft::inline v0::detail {

class fiber_record;

// Any thread that keeps the runtime alive. The fiber may go on or end meanwhile: then the answer is a little old, or
// of another fiber. Throws: std::bad_alloc.
unfinished_fiber describe_fiber(const fiber_record& f);

// One line, without its end.
std::string to_text(const unfinished_fiber& f);

}  // namespace weft::inline v0::detail
