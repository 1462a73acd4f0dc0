// The small frame at the bottom of every pooled stack: calls un-started fibers, one after the other, until there is a
// started one to resume or nothing to do. It keeps no core across a call: the fiber may have moved.
#include "platform/thread.h"
#include "scheduler/cancellation.h"
#include "scheduler/context_local.h"
#include "scheduler/fiber_local.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/stack_marks.h"
#include "scheduler/suspend.h"

#include <weft/cancelled.h>

#include <cassert>
#include <system_error>

namespace weft::inline v0::detail {

namespace {

// What any plain child may count on. Where less is left, the children of a join get stacks of their own.
constexpr std::size_t inline_reserve = std::size_t{32} << 10;

// From here on `f` is what runs on `me`: whatever code of its user runs, its destructors too, may wait as a fiber.
WEFT_ALWAYS_INLINE void move_in(activation& me, fiber_record& f) noexcept {
  me.occupant.store(&f, relaxed);
  me.identity = reinterpret_cast<std::uintptr_t>(&f);
  me.fiber = &f;
  me.marks = &f.marks;
  me.has_variables = f.context != nullptr;
  me.shield_depth = 0;
  me.level = 1;
  me.migrates = f.traits.migration == migration::free;
  me.pins = f.traits.is_bound_from_start() ? 1 : 0;
  me.guards = 0;
  me.cancel_throws = 0;
  me.care = f.traits.care;
  me.forks_inline = f.traits.migration == f.home->usual_traits.migration && !f.traits.care.preserves_fp();
  f.on_stack.store(&me, release);  // Pairs with request_cancel().
}

WEFT_COLD void end_cancelled(fiber_record& f) noexcept {
  f.outcome = fiber_outcome::cancelled;
  if (f.is_cancelled()) return;
  f.outcome = fiber_outcome::error;
  f.error = foreign_cancellation();
}

WEFT_ALWAYS_INLINE void call_fiber(fiber_record& f) noexcept {
  try {
    f.type->run(f.body);
    f.outcome = fiber_outcome::value;
  } catch (const cancelled&) {
    end_cancelled(f);
  } catch (...) {
    f.error = std::current_exception();
    f.outcome = fiber_outcome::error;
  }
}

WEFT_COLD void end_unstarted(activation& me, fiber_record& f) noexcept {
  open_shield(me);
  const bool has_no_stack = (f.marks.load(relaxed) & fiber_record::has_no_stack) != 0;
  if (has_no_stack) me.pins = 1;  // What is destroyed may wait, and the reserve goes back to its own core.
  f.type->destroy_closure(f.body);
  f.outcome = fiber_outcome::cancelled;
  if (!has_no_stack || f.type->link_of != nullptr) return;  // A scope has been told by its child's link.
  f.outcome = fiber_outcome::error;
  try {
    f.error = std::make_exception_ptr(std::system_error(std::make_error_code(std::errc::not_enough_memory),
                                                        "weft: no stack for a fiber: " + f.home->stacks.last_error()));
  } catch (...) {
    f.error = std::current_exception();
  }
}

// The end of a fiber, on whatever core it ends, but for its occupancy of the stack. What it leaves behind is destroyed
// here if nobody else holds it.
WEFT_ALWAYS_INLINE void end_fiber(activation& me, fiber_record& f) noexcept {
  open_shield(me);
  if (f.outcome == fiber_outcome::error) [[unlikely]] {
    // Pairs with detach_fiber(): of both, the second reports.
    const std::uint16_t before = f.marks.fetch_or(fiber_record::ended_with_error, acq_rel);
    if ((before & fiber_record::detached) != 0) f.home->report_lost_error(f);
  }
  if (me.locals != nullptr || f.context != nullptr) [[unlikely]]
    end_variables(me, f);  // While the fiber can still wait: joiners find its variables gone.
  // What it leaves behind may be destroyed here, by code of its user that waits: so long the runtime goes on.
  scheduler* const keeps = leaves_anything(f) ? f.home : nullptr;
  if (keeps != nullptr) [[unlikely]]
    keeps->callback_registered();
  here()->counters.ended.add();
  f.end.finish();
  // Joiners go by `end`. Until here reports name who hangs in a destructor or a callback.
  f.on_stack.store(nullptr, relaxed);
  f.life.store(fiber_life::ended, relaxed);
  give_up(f);
  if (keeps != nullptr) [[unlikely]]
    keeps->callback_returned();
}

WEFT_COLD void note_depth(const activation& me, const fiber_record& f) noexcept {
  if (me.care.measures_stack()) f.home->marks->note_end(me, f);
}

WEFT_COLD void finish_care(const activation& me) noexcept {
  if (me.care.preserves_fp()) set_default_float_control();
  if (me.care.measures_stack()) clear_below(me);
}

WEFT_ALWAYS_INLINE void run_fiber(core& c, activation& me, fiber_record& f) noexcept {
  if (!f.claim_start()) [[unlikely]] {
    give_up(f);
    return;
  }
  move_in(me, f);
  if ((f.marks.load(relaxed) & (fiber_record::cancel_requested | fiber_record::has_no_stack)) == 0) [[likely]] {
    c.counters.started.add();
    call_fiber(f);
  } else {
    end_unstarted(me, f);
  }
  check_marks(me, "ends");
  if (me.care.any()) [[unlikely]]
    note_depth(me, f);
  end_fiber(me, f);
  if (me.care.any()) [[unlikely]]
    finish_care(me);
  me.occupant.store(nullptr, relaxed);
}

// Goes on with un-started fibers of the default class; returns where to leave for.
WEFT_NOINLINE destination run_until_nothing_fresh() noexcept {
  for (;;) {
    core& before = *here();
    activation& me = *before.current;
    run_fiber(before, me, *before.starting);
    core& after = *here();
    const runnable next = after.pick();
    if (!next || next.has_started()) return destination_for(after, next);
    // The stack of a class of its own goes back to its pool after one fiber, and so does the reserve.
    fiber_record& fresh = *next.unstarted();
    if (fresh.traits.size_class != me.size_class || me.size_class != default_stack_class || me.is_reserve) {
      return destination_for(after, next);
    }
    after.starting = &fresh;
  }
}

}  // namespace

WEFT_SWITCHES void trampoline_entry(transfer came) noexcept {
  const arrival in = arrived(came);
  core& first = *static_cast<core*>(in.message);
  after_switch(first.current->sanitizer);
  first.settle(in.from);
  *first.thread_exceptions = {};
  const destination d = run_until_nothing_fresh();
  core& last = *here();
  leave_for_good(last, *last.current, d);
}

destination destination_for_unstarted(core& c, fiber_record& f) noexcept {
  activation* a = static_cast<activation*>(c.stacks.take(f.traits.size_class));
  if (a == nullptr) [[unlikely]] {
    // The fiber ends with ENOMEM; its closure's destructor may wait, so it needs a stack all the same.
    a = c.take_reserve(f);
    if (a == nullptr) return {};
  }
  a->seat.store(&c, relaxed);
  a->run.store(run_state::running, relaxed);
  create_identity(a->sanitizer, a->low, a->usable_bytes());
  c.starting = &f;
  return {a, true};
}

void make_activation(void* memory, const stack_head& placed, std::uint64_t first_epoch) noexcept {
  auto* const a = ::new (memory) activation;
  static_cast<stack_head&>(*a) = placed;
  static_assert(sizeof(stack_head) == fork_seat_offset);
  assert(&seat_of(a) == static_cast<fork_seat*>(a));
  a->child_floor = reinterpret_cast<std::uintptr_t>(placed.low) + inline_reserve;
  a->name = placed.index;
  a->word.restart(first_epoch);
}

std::uint64_t last_epoch_of(const stack_head& head) noexcept {
  return wait_word::epoch_of(static_cast<const activation&>(head).word.load());
}

}  // namespace weft::inline v0::detail
