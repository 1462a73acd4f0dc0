#include "scheduler/called_fiber.h"

#include "scheduler/call_chain.h"
#include "scheduler/cancellation.h"
#include "scheduler/context_local.h"
#include "scheduler/fork.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"

#include <weft/detail/scope_child.h>

#include <system_error>
#include <utility>

namespace weft::inline v0::detail {

namespace {

// Whether what runs on `a`, which is not cancelled, may call its children there. Under a shield it may not: the child would
// be out of the runtime's reach, when that ends.
bool may_call(const core& c, const activation& a) noexcept {
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return a.forks_inline && frame > a.child_floor && a.shield_depth == 0 && a.guards == 0 &&
         c.thread_exceptions->empty() && (a.marks->load(relaxed) >> fiber_record::cancelled_shift & a.level) == 0;
}

// Requires: the caller's migration is the usual one.
bool is_callable(const fiber_record& f, const scope& owner, const fiber_record& caller) noexcept {
  if (f.type->link_of == nullptr) return false;
  const scope_link& link = *f.type->link_of(f.body);
  return &link.owner == &owner && !link.is_background && f.traits.size_class == default_stack_class &&
         f.traits.migration == f.home->usual_traits.migration && !f.traits.care.preserves_fp() &&
         f.context == caller.context && !f.is_cancelled();
}

}  // namespace

fiber_record* called_fiber::take(const scope& owner) noexcept {
  core* c = here();
  if (c->is_overdue.load(relaxed)) [[unlikely]] {
    c->end_round();
    c = &yield(*c, *c->current);
  }
  const activation& me = *c->current;
  if (!may_call(*c, me)) return nullptr;
  fiber_record* const f = c->take_unstarted();
  if (f == nullptr) return nullptr;
  if (!is_callable(*f, owner, *me.fiber)) {
    c->return_unstarted(*f);
    return nullptr;
  }
  if (f->claim_start()) return f;
  give_up(*f);
  return nullptr;
}

called_fiber::called_fiber(fiber_record& f, scope& owner,
                           void (*tell)(scope& owner, cancel_reason why) noexcept) noexcept
    : fork_join(*here()), fiber_(&f), owner_(owner), tell_(tell) {
  activation& a = *frame_.stack;
  is_called_fiber_ = true;
  child_id_ = f.id.load(relaxed);
  a.identity = reinterpret_cast<std::uintptr_t>(static_cast<fork_join*>(this));
  f.on_stack.store(&a, release);  // Pairs with the readers of reports, as move_in() does.
}

void called_fiber::run() noexcept {
  here()->counters.started.add();
  try {
    fiber_->type->run(fiber_->body);
    fiber_->outcome = fiber_outcome::value;
  } catch (const cancelled&) {
    fiber_->outcome = is_cancelled() || fiber_->is_cancelled() ? fiber_outcome::cancelled : fiber_outcome::error;
    if (fiber_->outcome == fiber_outcome::error) fiber_->error = foreign_cancellation();
  } catch (...) {
    fiber_->outcome = fiber_outcome::error;
    fiber_->error = std::current_exception();
  }
  end();
}

void called_fiber::drop() noexcept {
  const shielded from_outside;
  fiber_->type->destroy_closure(fiber_->body);
  fiber_->outcome = fiber_outcome::cancelled;
  end();
}

// As the trampoline does it. Nobody holds a handle, so that there are no joiners.
void called_fiber::end() noexcept {
  const shielded from_outside;
  fiber_record& f = *fiber_;
  if (f.outcome == fiber_outcome::error) f.home->report_lost_error(f);
  if (frame_.stack->has_variables) end_variables();
  if (f.context != nullptr) release_context(std::exchange(f.context, nullptr));
  here()->counters.ended.add();
  f.end.finish();
  f.on_stack.store(nullptr, relaxed);
  f.life.store(fiber_life::ended, relaxed);
  give_up(f);
}

called_fiber::~called_fiber() {
  frame_.stack->identity = identity_;
  if ((unusual_ & was_exposed) != 0) hide_calls(*frame_.stack);
  if ((unusual_ & has_put_aside) != 0) take_back();
  leave_frame(frame_);
}

std::exception_ptr no_stack_for_child(const char* text) noexcept {
  try {
    return std::make_exception_ptr(std::system_error(std::make_error_code(std::errc::not_enough_memory), text));
  } catch (...) {
    return std::current_exception();
  }
}

const fiber_record* called_fiber::on(const activation& a) noexcept {
  const fork_join* const join = join_called_on(a);
  return join != nullptr && join->is_called_fiber_ ? static_cast<const called_fiber*>(join)->fiber_ : nullptr;
}

}  // namespace weft::inline v0::detail
