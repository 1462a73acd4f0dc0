#include "context/exception_state.h"

#include <cxxabi.h>

#include <cstddef>

#if defined(__arm__)
#error "the 32-bit ARM exception ABI keeps a third word, which weft does not swap"
#endif

namespace weft::inline v0::detail {

static_assert(sizeof(exception_state) == 2 * sizeof(void*) && offsetof(exception_state, uncaught) == sizeof(void*));

exception_state* thread_exception_state() noexcept {
  // <cxxabi.h> declares the call `const`: without the barrier this function would be found `const` too, and
  // link-time optimisation would reuse one thread's address after a switch to another.
  __asm__ volatile("" ::: "memory");
  void* state = abi::__cxa_get_globals();
  __asm__ volatile("" : "+r"(state) : : "memory");
  return static_cast<exception_state*>(state);
}

}  // namespace weft::inline v0::detail
