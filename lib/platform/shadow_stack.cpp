#include "platform/shadow_stack.h"

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

#ifdef __linux__

bool has_shadow_stack() noexcept {
  constexpr unsigned long is_enabled = 1;  // ARCH_SHSTK_SHSTK and PR_SHADOW_STACK_ENABLE.
  unsigned long features = 0;
  return sys().shadow_stack_status(&features) == 0 && (features & is_enabled) != 0;
}

#else

bool has_shadow_stack() noexcept { return false; }

#endif

}  // namespace weft::inline v0::detail
