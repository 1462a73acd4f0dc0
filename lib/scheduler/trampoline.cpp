// The small frame at the bottom of every pooled stack: calls un-started fibers, one after the other, until
// there is a started one to resume or nothing to do. It keeps no core across a call: the fiber may have
// moved.
#include "scheduler/cancellation.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"

#include <weft/cancelled.h>

#include <system_error>

namespace weft::inline v0::detail {

namespace {

// The end of a fiber, on whatever core it ends. Touches nothing of it afterwards.
void end_fiber(core& c, fiber_record& f) noexcept {
  if (f.outcome == fiber_outcome::error && (f.marks.fetch_or(fiber_record::ended_with_error, acq_rel) &
                                            fiber_record::detached) != 0) {  // Pairs with detach_fiber().
    c.owner.report_lost_error(f);
  }
  c.counters.ended.add();
  f.life.store(fiber_life::ended, relaxed);  // Joiners go by `end`.
  f.end.finish();
  release_fiber(&f);
}

void end_unstarted(core& c, fiber_record& f, fiber_outcome outcome, std::exception_ptr error) noexcept {
  f.type->destroy_closure(f.body);
  f.outcome = outcome;
  f.error = std::move(error);
  end_fiber(c, f);
}

// Calls the fiber. A frame of its own, so that nothing of it is kept across a suspension by the loop below.
WEFT_NOINLINE void call_fiber(activation& me, fiber_record& f) noexcept {
  me.occupant.store(&f, relaxed);
  me.migrates = f.migration == migration::free;
  me.pins = f.is_bound_from_start() ? 1 : 0;
  f.on_stack.store(&me, release);  // Pairs with request_cancel().
  try {
    f.type->run(f.body);
    f.outcome = fiber_outcome::value;
  } catch (const cancelled&) {
    f.outcome = fiber_outcome::cancelled;
  } catch (...) {
    f.error = std::current_exception();
    f.outcome = fiber_outcome::error;
  }
  f.on_stack.store(nullptr, relaxed);
  me.occupant.store(nullptr, relaxed);
}

WEFT_NOINLINE void run_fiber(fiber_record& f) noexcept {
  core& before = *here();
  if (!f.claim_start()) {
    release_fiber(&f);
    return;
  }
  if (f.is_cancelled()) [[unlikely]] {
    end_unstarted(before, f, fiber_outcome::cancelled, nullptr);
    return;
  }
  before.counters.started.add();
  call_fiber(*before.current, f);
  end_fiber(*here(), f);
}

// Goes on with un-started fibers of the default class; returns where to leave for.
WEFT_NOINLINE destination run_until_nothing_fresh() noexcept {
  for (;;) {
    run_fiber(*here()->starting);
    core& c = *here();
    const activation& me = *c.current;
    const runnable next = c.pick();
    if (!next || next.has_started()) return destination_for(c, next);
    fiber_record& f = *next.unstarted();
    // The stack of a class of its own goes back to its pool after one fiber.
    if (f.size_class != me.size_class || me.size_class != default_stack_class)
      return destination_for(c, next);
    c.starting = &f;
  }
}

}  // namespace

WEFT_SWITCHES void trampoline_entry(boost::context::detail::transfer_t transfer) noexcept {
  const arrival in = arrived(transfer);
  core& first = *static_cast<core*>(in.message);
  after_switch(first.current->sanitizer);
  first.settle(in.from);
  *first.thread_exceptions = {};
  const destination d = run_until_nothing_fresh();
  core& last = *here();
  leave_for_good(last, *last.current, d);
}

destination destination_for_unstarted(core& c, fiber_record& f) noexcept {
  stack_head* const stack = c.stacks.take(f.size_class);
  if (stack == nullptr) [[unlikely]] {
    std::string why = "weft: no stack for a fiber: " + c.owner.stacks.last_error();
    if (f.claim_start()) {
      end_unstarted(c, f, fiber_outcome::error,
                    std::make_exception_ptr(
                        std::system_error(std::make_error_code(std::errc::not_enough_memory), why)));
    } else {
      release_fiber(&f);
    }
    return {};
  }
  activation* const a = static_cast<activation*>(stack);
  a->seat = &c;
  a->run.store(run_state::running, relaxed);
  create_identity(a->sanitizer, a->low, a->usable_bytes());
  c.starting = &f;
  return {a, true};
}

void make_activation(void* memory, const stack_head& placed, std::uint64_t first_epoch) noexcept {
  auto* const a = ::new (memory) activation;
  static_cast<stack_head&>(*a) = placed;
  a->name = placed.index;
  a->word.restart(first_epoch);
}

std::uint64_t last_epoch_of(const stack_head& head) noexcept {
  return wait_word::epoch_of(static_cast<const activation&>(head).word.load());
}

}  // namespace weft::inline v0::detail
