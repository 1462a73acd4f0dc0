// The beginning of a wait by a fiber, for callers that have the core at hand.
#pragma once

#include "scheduler/core.h"
#include "scheduler/wait.h"

namespace weft::inline v0::detail {

// Whether a cancellable wait of the running fiber may be cut short.
WEFT_ALWAYS_INLINE bool may_be_cancelled(const core& c, const fiber_record& f) noexcept {
  return f.traits.shield_depth == 0 && c.thread_exceptions->uncaught == 0;
}

// Requires: a fiber runs on `c`. As cancel_pending().
WEFT_ALWAYS_INLINE bool cancel_pending_in(const core& c) noexcept {
  const fiber_record& f = *c.current->occupant.load(relaxed);
  return f.is_cancelled() && may_be_cancelled(c, f);
}

// Requires: a fiber runs on `c`. As begin_wait().
WEFT_ALWAYS_INLINE waiter begin_wait_in(core& c, bool cancellable) noexcept {
  activation& a = *c.current;
  a.reason = wake_reason::none;
  a.run.store(run_state::leaving, relaxed);  // Published with the epoch: a waker that claims it sees `leaving`.
  return {&a, a.word.open(cancellable && may_be_cancelled(c, *a.occupant.load(relaxed)))};
}

}  // namespace weft::inline v0::detail
