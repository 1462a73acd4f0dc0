// The beginning of a wait by a fiber, for callers that have the core at hand.
#pragma once

#include "scheduler/call_chain.h"
#include "scheduler/core.h"
#include "scheduler/fork.h"
#include "scheduler/wait.h"

namespace weft::inline v0::detail {

// The level of which a cancellation may cut a wait of the running fiber short, as a bit; 0 for none.
WEFT_ALWAYS_INLINE std::uint8_t open_level(const core& c) noexcept {
  const unsigned uncaught = c.thread_exceptions->uncaught;
  return uncaught == 0 ? c.current->level : cancel_level_bit(c.current->shield_depth + uncaught);
}

// Requires: a fiber runs on `c`. As cancel_pending().
WEFT_ALWAYS_INLINE bool cancel_pending_in(const core& c) noexcept {
  const fiber_record& f = *c.current->occupant.load(relaxed);
  const std::uint8_t cancelled = f.cancelled_levels();
  return cancelled != 0 && (cancelled & open_level(c)) != 0;
}

// Requires: a fiber runs on `c`. As begin_wait().
WEFT_ALWAYS_INLINE waiter begin_wait_in(core& c, bool cancellable, const char* call = "a wait") noexcept {
  activation& a = *c.current;
  a.waits_for.store(call, relaxed);
  a.since.store(c.coarse_now.load(relaxed), relaxed);
  a.run.store(run_state::leaving, relaxed);  // Published with the epoch: a waker that claims it sees `leaving`.
  const std::uint8_t level = cancellable ? open_level(c) : std::uint8_t{0};
  if (level != 1 && join_called_on(a) != nullptr) [[unlikely]]
    expose_calls(a, level);
  return {&a, a.word.open(level)};
}

}  // namespace weft::inline v0::detail
