#include <weft/detail/fork_join.h>

#include "scheduler/call_chain.h"
#include "scheduler/called_fiber.h"
#include "scheduler/cancellation.h"
#include "scheduler/context_local.h"
#include "scheduler/fiber_local.h"
#include "scheduler/fork.h"
#include "scheduler/list_lock.h"
#include "scheduler/make_record.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"
#include "scheduler/wait_inline.h"

#include <array>
#include <cassert>
#include <new>
#include <system_error>
#include <utility>

namespace weft::inline v0::detail {

namespace {

constexpr std::size_t batch = 64;

void push(fork_node*& first, fork_node& n) noexcept {
  n.previous = nullptr;
  n.next = first;
  if (first != nullptr) first->previous = &n;
  first = &n;
}

void unlink(fork_node*& first, fork_node& n) noexcept {
  (n.previous != nullptr ? n.previous->next : first) = n.next;
  if (n.next != nullptr) n.next->previous = n.previous;
}

}  // namespace

// The body of an outside child: the node itself.
struct forked_fiber {
  static void run(void* body) {
    fork_node& n = *static_cast<fork_node*>(body);
    fork_join& join = *n.join;
    fiber_record& self = *n.fiber;
    bool has_result = false;
    try {
      n.run(n);
      has_result = true;
    } catch (const cancelled&) {
      if (!self.is_cancelled()) join.note_error(foreign_cancellation());
    } catch (...) {
      join.note_error(std::current_exception());
    }
    end_variables_early(self);
    join.ended_outside(n, has_result);
  }

  // Cancelled before it started, or without a stack.
  static void drop(void* body) noexcept {
    fork_node& n = *static_cast<fork_node*>(body);
    fork_join& join = *n.join;
    if ((n.fiber->marks.load(relaxed) & fiber_record::has_no_stack) != 0) {
      join.note_error(no_stack_for_child("weft::gather: no stack for a child"));
    }
    end_variables_early(*n.fiber);
    join.ended_outside(n, false);
  }

  static constexpr body_type type{&run, &drop, nullptr, 0, 1, record_bytes, record_bytes};
};

// --- The owner -----------------------------------------------------------------------------------------------------------

WEFT_COLD void fork_join::refuse_outside() {
  throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                          "weft::gather: called outside a fiber; call it inside weft::run()");
}

void fork_join::wake_a_core() noexcept { wake_one_for(*here()); }

// What is left has not been pushed. Returns: how many may still be called, or have gone outside.
WEFT_COLD std::size_t fork_join::begin_unusual(fork_node* children, std::size_t count, std::size_t left) noexcept {
  core& c = *here();
  check_marks(*c.current, "calls weft::gather");
  for (std::size_t i = 0; i < left; ++i) children[i].join = this;
  if (left != count) {
    for (; left > 0; --left) fail_to_send_out(children[left - 1], nullptr);
  } else if (is_cancelled()) {
    unusual_ |= lacks_results;
    return 0;
  } else {
    // The deque is left empty, so that pop() finds nothing that is not ours.
    c.send_out_forks();
    for (; left > 0; --left) {
      if (fiber_record* const f = send_out(c, children[left - 1])) c.put_forked(children[left - 1], *f);
    }
  }
  return count;
}

// The worker looks at events, timers and whoever waits for this core, before it goes on here.
WEFT_COLD fork_lane& fork_join::give_way() noexcept {
  core& c = *here();
  c.end_round();
  return yield(c, *frame_.stack);
}

WEFT_COLD void fork_join::finish_unusual(std::size_t left) {
  if ((unusual_ & was_exposed) != 0) hide_calls(*frame_.stack);
  if (left != 0) wait_outside(left);
  if ((unusual_ & has_put_aside) != 0) take_back();
  leave_frame(frame_);
  if ((unusual_ & lacks_results) != 0) throw_outcome();
  if (has_outside_) std::destroy_at(&outside);
}

WEFT_COLD void fork_join::failed() noexcept {
  unusual_ |= lacks_results;
  try {
    throw;
  } catch (const cancelled&) {
    if (!is_cancelled()) note_error(foreign_cancellation());
  } catch (...) {
    note_error(std::current_exception());
  }
}

std::uint64_t fork_join::id_of_child(core& c) noexcept {
  if (child_id_ == 0) child_id_ = c.take_fiber_id();
  return child_id_;
}

// --- What of the owner's its children must not see -----------------------------------------------------------------------

// Before the frame is entered: while the owner unwinds, nothing from outside may cancel what it waits for.
WEFT_COLD void fork_join::put_aside() noexcept {
  core& c = *here();
  activation& a = *c.current;
  fiber_record& f = *a.occupant.load(relaxed);
  unusual_ |= has_put_aside;
  const exception_state before = std::exchange(*c.thread_exceptions, {});
  caught_exceptions_ = before.caught;
  uncaught_exceptions_ = before.uncaught;
  set_shields(a, a.shield_depth + uncaught_exceptions_);  // As open_level() has it for the owner.
  frame_.level = a.level;
  locals_ = std::exchange(a.locals, nullptr);
  context_ = f.context;  // A reference of ours, and one for the child that runs here.
  if (context_ != nullptr) f.context = share(context_);
  hides_context_ = context_ != nullptr;
  a.has_variables = hides_context_;
}

void fork_join::take_back() noexcept {
  core& c = *here();
  activation& a = *frame_.stack;
  *c.thread_exceptions = {caught_exceptions_, uncaught_exceptions_};
  a.locals = locals_;
  if (frame_.fiber->context != nullptr) release_context(frame_.fiber->context);
  frame_.fiber->context = context_;
  a.has_variables = locals_ != nullptr || context_ != nullptr;
  set_shields(a, a.shield_depth - uncaught_exceptions_);
}

// What the child has made of its own; the next one begins afresh.
void fork_join::end_variables() noexcept {
  const shielded from_outside;  // Their destructors may wait.
  activation& a = *frame_.stack;
  fiber_record& f = *frame_.fiber;
  if (a.locals != nullptr) end_locals(a.locals);
  context_array* const owners = (unusual_ & has_put_aside) != 0 ? context_ : nullptr;
  if (f.context != nullptr && f.context != owners) release_context(std::exchange(f.context, nullptr));
  if (a.locals != nullptr) end_locals(a.locals);  // Made by the destructors of the context's values.
  if (f.context == nullptr && owners != nullptr) f.context = share(owners);
  a.has_variables = f.context != nullptr;
}

// --- Children outside ----------------------------------------------------------------------------------------------------

// Under the lock, or where nobody else is left. Few joins need it, so it is made by the first who does.
fork_join::outside_state& fork_join::outside_part() noexcept {
  if (!has_outside_) {
    ::new (static_cast<void*>(&outside)) outside_state;
    has_outside_ = true;
  }
  return outside;
}

// By whoever took the node. Returns: its fiber, to be counted and queued; null if there was no memory for it.
fiber_record* fork_join::send_out(core& c, fork_node& n) noexcept {
  fiber_record* f = nullptr;
  try {
    f = make_record(c.slab.allocate(record_bytes), c.owner, forked_fiber::type, c.owner.usual_traits, {}, true);
  } catch (const std::bad_alloc&) {
    fail_to_send_out(n, nullptr);
    return nullptr;
  }
  f->body = &n;
  f->id.store(c.take_fiber_id(), release);  // Pairs with record_look, as the store of its life does.
  if (hides_context_) f->context = share(context_);
  if (c.owner.is_draining()) mark_cancelled(*f, cancel_reason::shutdown);
  n.fiber = f;
  {
    const list_lock hold(lock_);
    outside_state& o = outside_part();
    if (o.is_told) mark_cancelled(*f, o.told_as);
    n.is_told = o.is_told;
    push(o.is_told ? o.told : o.untold, n);
  }
  f->life.store(fiber_life::fresh, release);  // The queues publish it to the cores.
  return f;
}

// The child ends with std::bad_alloc.
void fork_join::fail_to_send_out(fork_node& n, fiber_record* unlaunched) noexcept {
  note_error(std::make_exception_ptr(std::bad_alloc()));
  if (unlaunched == nullptr) n.fiber = nullptr;
  ended_outside(n, false);
  if (unlaunched != nullptr) give_up(*unlaunched);
}

void fork_join::note_error(std::exception_ptr error) noexcept {
  try {
    const list_lock hold(lock_);
    fork_errors& errors = outside_part().errors;
    if (errors.first == nullptr) {
      errors.first = error;
    } else {
      if (errors.more == nullptr) errors.more = std::make_unique<std::vector<std::exception_ptr>>();
      errors.more->push_back(error);
    }
  } catch (const std::bad_alloc&) {
    frame_.fiber->home->report_lost_error(*frame_.fiber, error);
  }
  // The owner cannot leave before the calling child has ended, nor while it calls itself.
  if (wait_record* const claimed = cancel_inside(frame_, cancel_reason::scope)) make_ready(*claimed);
  cancel_outside(cancel_reason::scope);
}

void fork_join::ended_outside(fork_node& n, bool has_result) noexcept {
  wait_record* woken = nullptr;
  {
    const list_lock hold(lock_);
    outside_state& o = outside_part();
    if (n.fiber != nullptr) unlink(n.is_told ? o.told : o.untold, n);
    if (!has_result) o.lacks_results = true;
    ++o.ended;
    auto* const joiner = static_cast<wait_node*>(o.joiner);
    if (joiner != nullptr && o.ended == o.wanted) {
      o.joiner = nullptr;
      if (claim(joiner->who, wake_reason::notified)) woken = joiner->who.record;
    }
  }
  if (woken != nullptr) make_ready(*woken);
}

fork_join* fork_join::called_by() const noexcept {
  const auto occupant = reinterpret_cast<std::uintptr_t>(frame_.fiber);
  return identity_ != occupant ? reinterpret_cast<fork_join*>(identity_) : nullptr;
}

// What has reached the owner from outside of its frame, at the frame's level.
void fork_join::pass_on_cancellation() noexcept {
  const auto tell = [this](cancel_reason why) {
    if (is_called_fiber_) {
      static_cast<called_fiber*>(this)->tell_siblings(why);
    } else {
      cancel_outside(why);
    }
  };
  std::uint8_t noted = 0;
  for (const cancel_frame* each = frame_.outer; each != nullptr; each = each->outer) {
    if (each->level != frame_.level) continue;
    if (const std::uint8_t why = each->cancelled.load(acquire)) noted = why;  // Pairs with cancel_quietly().
  }
  const std::uint16_t marks = frame_.fiber->marks.load(relaxed);
  if (frame_.level == 1 && (marks & fiber_record::cancel_requested) != 0) {
    tell(static_cast<cancel_reason>(marks >> fiber_record::reason_shift & 3));
  } else if (noted != 0) {
    tell(static_cast<cancel_reason>(noted - 1));
  }
}

// Waking takes longer than the lock may be held, so it is done in batches, with a reference to each fiber.
void fork_join::cancel_outside(cancel_reason why) noexcept {
  std::array<fiber_record*, batch> told;
  for (bool is_first = true;; is_first = false) {
    std::size_t count = 0;
    {
      const list_lock hold(lock_);
      outside_state& o = outside_part();
      if (is_first && std::exchange(o.is_told, true)) return;
      if (is_first) o.told_as = why;
      for (; o.untold != nullptr && count < batch; ++count) {
        fork_node& n = *o.untold;
        unlink(o.untold, n);
        n.is_told = true;
        push(o.told, n);
        add_reference(n.fiber);
        told[count] = n.fiber;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      request_cancel(*told[i], why);
      give_up(*told[i]);
    }
    if (count < batch) return;
  }
}

// Cut short, it cancels the children, and waits on, shielded.
void fork_join::wait_outside(std::size_t wanted) noexcept {
  bool is_cancellable = true;
  for (;;) {
    {
      const list_lock hold(lock_);
      if (outside_part().ended == wanted) break;
    }
    if (is_cancellable && cancel_pending()) {
      is_cancellable = false;
      cancel_outside(pending_reason());
    }
    wait_node n;
    n.who = begin_wait(is_cancellable, "gather");
    bool is_waiting = false;
    {
      const list_lock hold(lock_);
      is_waiting = outside.ended != wanted;
      outside.wanted = static_cast<std::uint32_t>(wanted);
      if (is_waiting) outside.joiner = &n;
    }
    const wake_reason why = is_waiting ? finish_wait(n.who, never) : retract_wait(n.who);
    if (is_waiting && why != wake_reason::notified) {
      const list_lock hold(lock_);
      outside.joiner = nullptr;
    }
  }
  if (outside.lacks_results) unusual_ |= lacks_results;
}

}  // namespace weft::inline v0::detail
