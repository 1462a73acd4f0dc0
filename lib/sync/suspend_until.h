// The first and the last step of a wait, inlined, for functions that users' code calls directly.
#pragma once

#include "scheduler/core.h"
#include "scheduler/suspend.h"
#include "scheduler/wait_inline.h"

namespace weft::inline v0::detail {

// As begin_wait().
WEFT_ALWAYS_INLINE waiter begin_wait_here(const char* call) noexcept {
  core* const c = here();
  return c != nullptr && c->current != nullptr ? begin_wait_in(*c, true, call) : begin_wait(true, call);
}

// As finish_wait(). Inlined, where there is no deadline: each frame between the user's code and the switch costs a
// mispredicted return when the two sides have different call chains.
WEFT_SUSPENDS wake_reason suspend_until_woken(const waiter& w, std::int64_t deadline) noexcept {
  if (deadline != never || w.record->is_thread) return finish_wait(w, deadline);
  suspend(*here(), activation_of(*w.record));
  return w.record->reason;
}

}  // namespace weft::inline v0::detail
