#include "scheduler/here.h"

// Visible, for fork-join is inlined into programs. `initial-exec` keeps the access at two instructions and out of __tls_get_addr, in a shared library too.
extern "C" {
extern __thread std::uintptr_t weft_here __attribute__((visibility("default"), tls_model("initial-exec")));
__thread std::uintptr_t weft_here = 0;
}

namespace weft::inline v0::detail {

WEFT_NOINLINE void set_here_word(std::uintptr_t word) noexcept {
  std::uintptr_t* place = &weft_here;
  __asm__ __volatile__("" : "+r"(place));
  *place = word;
}

#if !(defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__)))
WEFT_NOINLINE std::uintptr_t here_word() noexcept {
  std::uintptr_t* place = &weft_here;
  __asm__ __volatile__("" : "+r"(place));
  return *place;
}
#endif

}  // namespace weft::inline v0::detail
