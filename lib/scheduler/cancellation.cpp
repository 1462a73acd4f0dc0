#include "scheduler/cancellation.h"

#include "scheduler/chaos.h"
#include "scheduler/core.h"
#include "scheduler/wait_inline.h"

#include <weft/cancelled.h>

namespace weft::inline v0::detail {

fiber_record* current_fiber() noexcept {
  core* const c = here();
  return c != nullptr && c->current != nullptr ? c->current->occupant.load(relaxed) : nullptr;
}

void request_cancel(fiber_record& f) noexcept {
  f.marks.fetch_or(fiber_record::cancel_requested, seq_cst);
  full_fence();  // Pairs with core::publish().
  activation* const a = f.on_stack.load(acquire);
  if (a == nullptr) return;  // Not started: it ends before its first instruction; or ended.
  chaos_point();
  const std::uint64_t bits = a->word.load();
  if (!wait_word::is_cancellable(bits)) return;
  // The stack may have passed on to another fiber. The occupant read after an epoch is that of the epoch's
  // wait or of a later one; if it is still `f`, the wait is f's, or over.
  if (a->occupant.load(relaxed) != &f) return;
  const waiter who{a, wait_word::epoch_of(bits)};
  if (claim(who, wake_reason::cancelled)) make_ready(*a);
}

bool cancel_pending() noexcept {
  const core* const c = here();
  return c != nullptr && c->current != nullptr && cancel_pending_in(*c);
}

void throw_cancelled() { throw cancelled(); }

void check_cancelled() {
  if (cancel_pending()) [[unlikely]]
    throw_cancelled();
}

shielded::shielded() noexcept : fiber_(current_fiber()) {
  if (fiber_ != nullptr) ++fiber_->traits.shield_depth;
}

shielded::~shielded() {
  if (fiber_ != nullptr) --fiber_->traits.shield_depth;
}

}  // namespace weft::inline v0::detail
