// What can be told of a fiber from outside, while it goes on.
#pragma once

#include <weft/runtime.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v0::detail {

class fiber_record;

// Any thread that keeps the runtime alive. The fiber may go on meanwhile: then the answer is a little old.
// Returns: nothing where the fiber has ended. Throws: std::bad_alloc.
std::optional<unfinished_fiber> describe_fiber(const fiber_record& f);

// `spawned at FILE:LINE`; a child that gather() gave a stack of its own has no such place, and is called that.
std::string origin_text(std::string_view file, std::uint64_t line);

// One line, without its end.
std::string to_text(const unfinished_fiber& f);

}  // namespace weft::inline v0::detail
