#include "scheduler/call_chain.h"

#include "scheduler/called_fiber.h"
#include "scheduler/fork.h"
#include "scheduler/list_lock.h"

namespace weft::inline v0::detail {

void expose_calls(activation& a, std::uint8_t level) noexcept {
  fork_join* const innermost = join_called_on(a);
  if (a.exposed_join.load(relaxed) == innermost) {
    // Cancellers have seen it since. But one that claimed a wait in between left the telling to the fiber.
    if ((a.marks->load(relaxed) >> fiber_record::cancelled_shift) != 0) tell_exposed(a);
    return;
  }
  const fork_join* join = innermost;
  while (join != nullptr && join->is_open_to(level)) join = join->called_by();
  if (join == nullptr) return;  // Whatever cancels one of them cuts the wait short.
  {
    const list_lock hold(a.exposed_lock);
    a.exposed_join.store(innermost, relaxed);
  }
  innermost->note_exposed();
  full_fence();  // Pairs with claim_open_wait().
  tell_exposed(a);
}

void hide_calls(activation& a) noexcept {
  const list_lock hold(a.exposed_lock);
  a.exposed_join.store(nullptr, relaxed);
}

void tell_exposed(activation& a) noexcept {
  const list_lock hold(a.exposed_lock);
  fork_join* join = a.exposed_join.load(relaxed);
  while (join != nullptr) {
    join->pass_on_cancellation();
    join = join->called_by();
  }
}

}  // namespace weft::inline v0::detail
