// The suspension gate: the only place where one stack is left for another. Exception state, sanitizer hooks,
// the stale core pointer, the post-switch action and the chaos point live here and nowhere else.
//
// What a function read before one of these calls (core, thread_local addresses, errno) is stale after it: go
// on with the core that is returned.
#pragma once

#include "platform/thread.h"
#include "scheduler/chaos.h"
#include "scheduler/core.h"
#include "scheduler/no_suspend.h"

#include <utility>

// Under ThreadSanitizer a function that switches stays a function of its own, which its instrumentation leaves alone.
#ifdef WEFT_TSAN
#define WEFT_SUSPENDS inline __attribute__((noinline)) WEFT_SWITCHES
#else
#define WEFT_SUSPENDS WEFT_ALWAYS_INLINE
#endif

namespace weft::inline v0::detail {

// Where a switch leads: a stack to resume or to begin, or the thread stack.
struct destination {
  activation* to = nullptr;
  bool is_fresh = false;
};

// Makes what pick() returned ready to be switched to. An un-started fiber for which no stack can be had ends
// here, with ENOMEM; then, and for nothing, the destination is the thread stack.
destination destination_for_unstarted(core& c, fiber_record& f) noexcept;

WEFT_ALWAYS_INLINE destination destination_for(core& c, runnable next) noexcept {
  if (!next) return {};
  if (!next.has_started()) [[unlikely]]
    return destination_for_unstarted(c, *next.unstarted());
  activation* const a = next.started();
  a->seat.store(&c, relaxed);
  a->run.store(run_state::running, relaxed);  // Whoever resumes a ready fiber owns it.
  return {a, false};
}

[[noreturn]] void trampoline_entry(transfer in) noexcept;

// Leaves `self`, which runs on `c`, and returns on the core that resumes it.
WEFT_SUSPENDS core& leave(core& c, activation& self, departure how, destination d) noexcept {
  chaos_point();
  check_marks(self, "suspends");
  self.exceptions = *c.thread_exceptions;
  if (self.care.preserves_fp()) [[unlikely]] {
    self.float_control = float_control();
    set_default_float_control();
  }
  if (d.to == nullptr) *c.thread_exceptions = {};  // What runs on the thread stack is no part of this fiber.
  c.departed = &self;
  c.departed_as = how;
  c.current = d.to;
  c.counters.switches.add();
  before_switch(self.sanitizer, d.to != nullptr ? d.to->sanitizer : c.thread_sanitizer, false);
  const arrival in = d.is_fresh ? start(d.to->top, d.to->usable_bytes(), &trampoline_entry, &c)
                                : switch_to(d.to != nullptr ? d.to->context : c.thread_context, &c);
  core& now = *static_cast<core*>(in.message);
  after_switch(self.sanitizer);
  now.settle(in.from);
  *now.thread_exceptions = self.exceptions;
  if (self.care.preserves_fp()) [[unlikely]]
    set_float_control(self.float_control);
  return now;
}

// Leaves `self` for good: its stack goes back to the pool.
[[noreturn]] WEFT_SUSPENDS void leave_for_good(core& c, activation& self, destination d) noexcept {
  c.departed = &self;
  c.departed_as = departure::ending;
  c.current = d.to;
  c.counters.switches.add();
  before_switch(self.sanitizer, d.to != nullptr ? d.to->sanitizer : c.thread_sanitizer, true);
  if (d.is_fresh) exit_to_start(d.to->top, d.to->usable_bytes(), &trampoline_entry, &c);
  exit_to(d.to != nullptr ? d.to->context : c.thread_context, &c);
}

// Leaves the worker's thread stack; returns when a fiber finds nothing more to run.
// Requires: d.to is not null.
WEFT_SUSPENDS void leave_thread_stack(core& c, destination d) noexcept {
  c.departed = nullptr;
  c.departed_as = departure::thread;
  c.current = d.to;
  c.counters.switches.add();
  before_switch(c.thread_sanitizer, d.to->sanitizer, false);
  const arrival in =
      d.is_fresh ? start(d.to->top, d.to->usable_bytes(), &trampoline_entry, &c) : switch_to(d.to->context, &c);
  after_switch(c.thread_sanitizer);
  c.settle(in.from);
}

// Suspends the running fiber, whose run state is `leaving`, in favour of whatever is next here.
WEFT_ALWAYS_INLINE core& suspend(core& c, activation& self) noexcept {
  c.send_out_forks();
  return leave(c, self, departure::suspending, destination_for(c, c.pick()));
}

// Lets others run first. Returns at once where there is nothing to run.
WEFT_ALWAYS_INLINE core& yield(core& c, activation& self) noexcept {
  check_marks(self, "yields");
  c.send_out_forks();
  const runnable next = c.pick();
  if (!next && !c.round_is_over()) return c;
  return leave(c, self, departure::yielding, destination_for(c, next));
}

}  // namespace weft::inline v0::detail
