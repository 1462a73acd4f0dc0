// The end of a fiber, as its handles see it.
#include "platform/clock.h"
#include "platform/process.h"
#include "scheduler/callback.h"
#include "scheduler/cancellation.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"
#include "scheduler/wait_inline.h"

#include <weft/cancelled.h>

#include <string>
#include <system_error>

namespace weft::inline v0::detail {

namespace {

std::string description_of(const fiber_record& f) {
  std::string text = "fiber " + std::to_string(f.id.load(relaxed));
  if (!f.name().empty()) text += " \"" + std::string(f.name()) + "\"";
  return text;
}

[[noreturn]] WEFT_COLD void refuse_join(const fiber_record* f) {
  if (f == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "fiber::join: the handle has no fiber: it was joined, detached or moved from");
  }
  throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                          "fiber::join: " + description_of(*f) + " joins itself");
}

[[noreturn]] WEFT_COLD void refuse_in_forked_child(const fiber_record& f) {
  throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                          "fiber::join: " + description_of(f) +
                              " lives in the process that this one was forked from; a runtime does not survive fork()");
}

// Waits for the end of `f`; false at the deadline. The reason of the last wait is what ended it.
wake_reason wait_for_end(fiber_record& f, std::int64_t deadline, bool cancellable) noexcept {
  wait_node n;
  n.who = begin_wait(cancellable, "fiber::join");
  if (!f.end.add(n)) {
    const wake_reason why = retract_wait(n.who);
    f.end.remove(n);  // Waits for the finisher, which is about to say that it is done.
    return why;
  }
  const wake_reason why = finish_wait(n.who, deadline);
  if (why != wake_reason::notified) f.end.remove(n);
  return why;
}

[[noreturn]] WEFT_COLD void throw_outcome(fiber_record& f) {
  if (f.outcome == fiber_outcome::cancelled) {
    // What ends the joiner is its own cancellation, whatever became of the other.
    if (cancel_pending()) throw_cancelled("fiber::join");
    throw join_cancelled("fiber::join: " + description_of(f) + " was cancelled");
  }
  std::rethrow_exception(std::move(f.error));
}

}  // namespace

bool wait_fiber(fiber_record* fiber, std::int64_t deadline) {
  if (fiber == nullptr) refuse_join(fiber);
  fiber_record& f = *fiber;
  if (f.end.done()) return true;
  core* const c = here();
  if (deadline == never && c != nullptr && c->current != nullptr) [[likely]] {
    // One frame between the caller and the switch: more of them cost a mispredicted return each.
    activation& me = *c->current;
    if (me.occupant.load(relaxed) == fiber) refuse_join(fiber);
    if (cancel_pending_in(*c)) throw_cancelled("fiber::join");
    wait_node n;
    n.who = begin_wait_in(*c, true, "fiber::join");
    if (f.end.add(n)) [[likely]] {
      suspend(*c, me);
    } else {
      retract_wait(n.who);
    }
    if (f.end.done()) return true;
    if (me.reason != wake_reason::notified) f.end.remove(n);
  } else {
    if (forked_child()) refuse_in_forked_child(f);
    if (fiber == current_fiber()) refuse_join(fiber);
  }
  while (!f.end.done()) {
    if (cancel_pending()) throw_cancelled("fiber::join");
    const wake_reason why = wait_for_end(f, deadline, true);
    if (why == wake_reason::timed_out) return f.end.done();
    // The end may have come together with the cancellation; then the end counts.
    if (why == wake_reason::cancelled && !f.end.done()) throw_cancelled("fiber::join");
  }
  return true;
}

bool fiber_has_value(const fiber_record* fiber) noexcept { return fiber->outcome == fiber_outcome::value; }

void throw_fiber_outcome(fiber_record* fiber) { throw_outcome(*fiber); }

namespace {

// Calls `act` with the scheduler of `f`, unless that is gone: a handle may outlive it.
template <class Act>
void with_scheduler(fiber_record& f, Act act) noexcept {
  core* const c = here();
  record_memory& memory = record_memory::of(&f);
  // By the memory: the place of a runtime that is gone may be that of another one.
  if (c != nullptr && &c->owner.records == &memory) {
    act(c->owner);
    return;
  }
  const record_memory::visit staying(memory);
  if (scheduler* const s = staying.owner()) act(*s);
}

WEFT_COLD void report_self_drop(fiber_record& f) noexcept {
  constexpr const char* what = " drops the handle of itself; it cannot wait for its own end, so it is detached\n";
  try {
    f.home->report("weft: " + description_of(f) + what);
  } catch (const std::bad_alloc&) {
    f.home->report("weft: a fiber drops the handle of itself, and is detached\n");
  }
}

void report_lost(fiber_record& f) noexcept {
  with_scheduler(f, [&f](scheduler& s) { s.report_lost_error(f); });
}

}  // namespace

void cancel_and_join(fiber_record* fiber) noexcept {
  fiber_record& f = *fiber;
  if (!f.end.done()) {
    if (forked_child()) return;  // It goes on in the parent; its record here is lost with the process.
    if (fiber == current_fiber()) {
      report_self_drop(f);
      detach_fiber(fiber);
      return;
    }
    cancel_fiber(fiber, cancel_reason::user);
    while (!f.end.done()) wait_for_end(f, never, false);
  }
  if (f.outcome == fiber_outcome::error) report_lost(f);
  give_up(f);
}

void detach_fiber(fiber_record* fiber) noexcept {
  // Pairs with end_fiber(): of both, the second reports.
  const std::uint16_t before = fiber->marks.fetch_or(fiber_record::detached, acq_rel);
  if ((before & fiber_record::ended_with_error) != 0) report_lost(*fiber);
  give_up(*fiber);
}

void cancel_fiber(fiber_record* fiber, cancel_reason why) noexcept {
  if (forked_child()) return;
  with_scheduler(*fiber, [fiber, why](scheduler&) {
    if (!fiber->end.done()) request_cancel(*fiber, why);
  });
}

void on_fiber_done(fiber_record* fiber, callback_node* callback) {
  if (fiber == nullptr) {
    drop_callback(callback);
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "fiber::on_done: the handle has no fiber: it was joined, detached or moved from");
  }
  bool is_registered = false;
  if (!fiber->end.done() && !forked_child()) {
    with_scheduler(*fiber, [&](scheduler& s) {
      s.callback_registered();
      callback->keeps_runtime = true;
      is_registered = fiber->end.add(*callback);
      if (is_registered) return;
      callback->keeps_runtime = false;
      s.callback_returned();
    });
  }
  if (!is_registered) call_when_done(fiber->end, *callback);
}

bool fiber_is_done(const fiber_record* fiber) noexcept { return fiber->end.done(); }

bool fiber_was_cancelled(const fiber_record* fiber) noexcept {
  return fiber->end.done() && fiber->outcome == fiber_outcome::cancelled;
}

std::uint64_t fiber_id(const fiber_record* fiber) noexcept { return fiber->id.load(relaxed); }

std::string_view fiber_name(const fiber_record* fiber) noexcept { return fiber->name(); }

}  // namespace weft::inline v0::detail
