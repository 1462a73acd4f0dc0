// Where the calling code runs: the one thread-local word of weft.
//
// The word is a core (on a worker thread), a plain thread's own record (low bit set), or null. A fiber may
// resume on another thread, and compilers keep addresses and values of thread-local variables across calls;
// so the word is read inside an opaque asm, and what was read before a suspension is stale after it.
#pragma once

#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

#if defined(__x86_64__) && defined(__linux__)
WEFT_ALWAYS_INLINE std::uintptr_t here_word() noexcept {
  std::uintptr_t word;
  __asm__ __volatile__(
      "movq weft_here@gottpoff(%%rip), %0\n\t"
      "movq %%fs:(%0), %0"
      : "=r"(word)
      :
      : "memory");
  return word;
}
#elif defined(__aarch64__) && defined(__linux__)
WEFT_ALWAYS_INLINE std::uintptr_t here_word() noexcept {
  std::uintptr_t word, offset;
  __asm__ __volatile__(
      "mrs %0, tpidr_el0\n\t"
      "adrp %1, :gottprel:weft_here\n\t"
      "ldr %1, [%1, #:gottprel_lo12:weft_here]\n\t"
      "ldr %0, [%0, %1]"
      : "=&r"(word), "=&r"(offset)
      :
      : "memory");
  return word;
}
#else
WEFT_API std::uintptr_t here_word() noexcept;  // Out of line, with an asm barrier.
#endif

}  // namespace weft::inline v0::detail
