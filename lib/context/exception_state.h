// The C++ runtime keeps two words a thread about exceptions: the stack of caught ones, and how many are in
// flight. Fibers that share a thread each need their own, so every switch swaps them.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/exception_state.h>

namespace weft::inline v0::detail {

// Returns: the state of the calling thread, good until the caller may run on another thread. The compiler
//   never merges two calls, as it may with __cxa_get_globals(), which is declared `const`.
// Lifetime: that of the thread.
WEFT_NOINLINE exception_state* thread_exception_state() noexcept;

// Leaves one fiber for another on the thread whose state is `thread`. `leaving` may be `coming`'s own only if they are
// the same fiber.
WEFT_ALWAYS_INLINE void swap_exception_state(exception_state& thread, exception_state& leaving,
                                             const exception_state& coming) noexcept {
  leaving = thread;
  thread = coming;
}

}  // namespace weft::inline v0::detail
