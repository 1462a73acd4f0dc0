// A call at the end of a thread that weft did not start.
#pragma once

namespace weft::inline v0::detail {

// Calls `at_exit(argument)` when the calling thread ends, after its last C++ thread-local destructors have
// begun to run. One registration a thread; a second one replaces the first. `argument` must not be null.
// Returns: false when the process has no room for one (then nothing is called).
bool at_thread_exit(void (*at_exit)(void*), void* argument) noexcept;

}  // namespace weft::inline v0::detail
