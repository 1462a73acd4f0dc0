// The core whose worker runs the calling code, from the one thread-local word.
#pragma once

#include <weft/detail/here_word.h>

namespace weft::inline v0::detail {

class core;
struct thread_record;

void set_here_word(std::uintptr_t word) noexcept;

// The core whose worker runs this code, or null on any other thread.
WEFT_ALWAYS_INLINE core* here() noexcept {
  const std::uintptr_t word = here_word();
  return (word & 1) == 0 ? reinterpret_cast<core*>(word) : nullptr;
}

}  // namespace weft::inline v0::detail
