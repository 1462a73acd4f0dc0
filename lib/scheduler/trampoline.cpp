// The small frame at the bottom of every pooled stack: calls un-started fibers, one after the other, until there is a
// started one to resume or nothing to do. It keeps no core across a call: the fiber may have moved.
#include "scheduler/cancellation.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"

#include <weft/cancelled.h>

#include <system_error>

namespace weft::inline v0::detail {

namespace {

// The end of a fiber, on whatever core it ends. Touches nothing of it afterwards.
WEFT_ALWAYS_INLINE void end_fiber(core& c, fiber_record& f) noexcept {
  if (f.outcome == fiber_outcome::error) [[unlikely]] {
    // Pairs with detach_fiber(): of both, the second reports.
    const std::uint8_t before = f.marks.fetch_or(fiber_record::ended_with_error, acq_rel);
    if ((before & fiber_record::detached) != 0) c.owner.report_lost_error(f);
  }
  c.counters.ended.add();
  f.life.store(fiber_life::ended, relaxed);  // Joiners go by `end`.
  f.end.finish();
  give_up(f);
}

WEFT_COLD void end_unstarted(core& c, fiber_record& f, fiber_outcome outcome, std::exception_ptr error) noexcept {
  f.type->destroy_closure(f.body);
  f.outcome = outcome;
  f.error = std::move(error);
  end_fiber(c, f);
}

WEFT_ALWAYS_INLINE void call_fiber(core& c, activation& me, fiber_record& f) noexcept {
  c.counters.started.add();
  me.occupant.store(&f, relaxed);
  me.migrates = f.traits.migration == migration::free;
  me.pins = f.traits.is_bound_from_start() ? 1 : 0;
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

// Goes on with un-started fibers of the default class; returns where to leave for.
WEFT_NOINLINE destination run_until_nothing_fresh() noexcept {
  for (;;) {
    core& before = *here();
    activation& me = *before.current;
    fiber_record& f = *before.starting;
    if (!f.claim_start()) [[unlikely]] {
      give_up(f);
    } else if (f.is_cancelled()) [[unlikely]] {
      end_unstarted(before, f, fiber_outcome::cancelled, nullptr);
    } else {
      call_fiber(before, me, f);
      end_fiber(*here(), f);
    }
    core& after = *here();
    const runnable next = after.pick();
    if (!next || next.has_started()) return destination_for(after, next);
    // The stack of a class of its own goes back to its pool after one fiber.
    fiber_record& fresh = *next.unstarted();
    if (fresh.traits.size_class != me.size_class || me.size_class != default_stack_class) {
      return destination_for(after, next);
    }
    after.starting = &fresh;
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
  stack_head* const stack = c.stacks.take(f.traits.size_class);
  if (stack == nullptr) [[unlikely]] {
    end_without_stack(c, f);
    return {};
  }
  activation* const a = static_cast<activation*>(stack);
  a->seat = &c;
  a->run.store(run_state::running, relaxed);
  create_identity(a->sanitizer, a->low, a->usable_bytes());
  c.starting = &f;
  return {a, true};
}

// Its joiner gets ENOMEM; fibers that have started go on.
void end_without_stack(core& c, fiber_record& f) noexcept {
  if (!f.claim_start()) {
    give_up(f);
    return;
  }
  std::exception_ptr error;
  try {
    error = std::make_exception_ptr(std::system_error(std::make_error_code(std::errc::not_enough_memory),
                                                      "weft: no stack for a fiber: " + c.owner.stacks.last_error()));
  } catch (...) {
    error = std::current_exception();
  }
  end_unstarted(c, f, fiber_outcome::error, std::move(error));
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
