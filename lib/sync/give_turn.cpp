#include "scheduler/call_chain.h"
#include "scheduler/core.h"
#include "scheduler/fork.h"
#include "scheduler/suspend.h"

#include <weft/detail/spend_operation.h>

namespace weft::inline v0::detail {

WEFT_COLD void give_turn() noexcept {
  core& c = *here();
  // An operation that does not wait is allowed under a guard.
  if (c.current == nullptr || c.current->guards != 0) return;
  // As this_fiber::yield() does, and here nothing throws.
  if (join_called_on(*c.current) != nullptr) [[unlikely]]
    expose_calls(*c.current, 0);
  yield(c, *c.current);
}

}  // namespace weft::inline v0::detail
