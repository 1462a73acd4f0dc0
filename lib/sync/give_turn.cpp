#include "scheduler/core.h"
#include "scheduler/suspend.h"

#include <weft/detail/spend_operation.h>

namespace weft::inline v0::detail {

WEFT_COLD void give_turn() noexcept {
  core& c = *here();
  if (c.current == nullptr) return;
#ifdef WEFT_CHECKED
  if (c.current->no_suspend_marks != nullptr) return;  // An operation that does not wait is allowed under a guard.
#endif
  yield(c, *c.current);
}

}  // namespace weft::inline v0::detail
