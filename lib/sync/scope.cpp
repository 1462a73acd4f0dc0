// Roles: the *owner*, in whose frame the scope lies; the *children*; anyone of them cancels.
// Invariant: a child is in one of the two lists, and counted, from enlist() to child_ended(); the unlock of child_ended()
//   is its last touch of the scope. The owner leaves only after it has seen, under the lock, that nobody is counted.
// In join() the owner calls children that have not started, one at a time; while it does, the scope knows the frame of that
// call, and who cancels the children cancels it, under the lock: child_ended() takes it away before it is left.
// Cancelling moves children from the untold to the told list, a batch at a time, with a reference to each, and tells
// them with the lock dropped: waking a fiber takes longer than the lock may be held.
#include <weft/gather.h>

#include "platform/memory_reader.h"
#include "scheduler/call_chain.h"
#include "scheduler/called_fiber.h"
#include "scheduler/cancellation.h"
#include "scheduler/fiber_local.h"
#include "scheduler/list_lock.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/wait.h"
#include "sync/misuse.h"

#include <array>
#include <stdexcept>
#include <string>
#include <system_error>

namespace weft::inline v0 {

namespace {

constexpr std::size_t batch = 64;

void push(detail::scope_link*& first, detail::scope_link& child) noexcept {
  child.previous = nullptr;
  child.next = first;
  if (first != nullptr) first->previous = &child;
  first = &child;
}

void unlink(detail::scope_link*& first, detail::scope_link& child) noexcept {
  (child.previous != nullptr ? child.previous->next : first) = child.next;
  if (child.next != nullptr) child.next->previous = child.previous;
}

// For reports: the list may change, or go, while it is read.
// NOLINTBEGIN(bugprone-sizeof-expression): sizes of pointers are meant.
std::size_t read_children(detail::scope_link* const* first, std::uintptr_t* fibers, std::size_t most) noexcept {
  std::size_t count = 0;
  const detail::scope_link* child = nullptr;
  if (!detail::read_memory(first, &child, sizeof child)) return 0;
  while (child != nullptr && count < most) {
    const detail::fiber_record* fiber = nullptr;
    if (!detail::read_memory(&child->fiber, &fiber, sizeof fiber)) break;
    bool is_background = false;
    detail::read_memory(&child->is_background, &is_background, sizeof is_background);
    if (!is_background) fibers[count++] = reinterpret_cast<std::uintptr_t>(fiber);
    if (!detail::read_memory(&child->next, &child, sizeof child)) break;
  }
  return count;
}
// NOLINTEND(bugprone-sizeof-expression)

std::string describe(const std::vector<std::exception_ptr>& errors) {
  std::string text = "weft::scope: " + std::to_string(errors.size()) + " children failed";
  const char* separator = ": ";
  for (const std::exception_ptr& each : errors) {
    try {
      std::rethrow_exception(each);
    } catch (const std::exception& error) {
      text += separator + std::string(error.what());
    } catch (...) {
      text += std::string(separator) + "an exception that is no std::exception";
    }
    separator = "; ";
  }
  return text;
}

}  // namespace

namespace detail {

void throw_lost_call(const char* call) {
  if (cancel_pending()) throw_cancelled(call);
  throw join_cancelled("weft::" + std::string(call) + ": a call was cancelled");
}

void refuse_map_limit() { throw std::invalid_argument("weft::map: a limit of 0 calls at once leaves nothing to run"); }

scope_link::scope_link(scope& its_owner, fiber_record* its_fiber, bool background)
    : owner(its_owner), fiber(its_fiber), is_background(background) {
  owner.enlist(*this);
}

scope_link::~scope_link() {
  if (outcome == child_outcome::cancelled && (fiber->marks.load(relaxed) & fiber_record::has_no_stack) != 0) {
    failed(no_stack_for_child("weft::scope: no stack for a child"));
  }
  end_variables_early(*fiber);
  owner.child_ended(*this);
}

void scope_link::failed(std::exception_ptr error) noexcept {
  outcome = child_outcome::failure;
  owner.note_error(std::move(error));
}

}  // namespace detail

scope_errors::scope_errors(std::vector<std::exception_ptr> errors)
    : errors_(std::move(errors)),  // NOLINT(bugprone-throw-keyword-missing)
      text_(describe(errors_)) {}

scope::scope(scope_policy policy) : policy_(policy) {
  if (policy.what_ == scope_policy::kind::quorum && policy.needed_ == 0) {
    throw std::invalid_argument("weft::scope: a quorum of 0 children is no quorum");
  }
  if (!detail::enter_frame(frame_)) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::scope: made outside a fiber; call it inside weft::run()");
  }
}

scope::~scope() {
  if (detail::current_fiber() != frame_.fiber) {
    detail::end_for_misuse("weft::~scope: a scope ends in another fiber than it began in");
  }
  if (!is_closed_) {
    cancel_children(cancel_reason::user);
    wait_for_children(false);
    report_errors();
  }
  leave();
}

void scope::leave() noexcept {
  if (std::exchange(is_in_frame_, false)) detail::leave_frame(frame_);
}

void scope::enlist(detail::scope_link& child) {
  const detail::list_lock hold(lock_);
  if (is_closed_) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::scope::spawn: the scope was joined already");
  }
  child.is_told = told_ != 0;
  if (child.is_told) detail::mark_cancelled(*child.fiber, static_cast<cancel_reason>(told_ - 1));
  push(child.is_told ? told_children_ : untold_, child);
  ++live_;
  if (child.is_background) ++background_;
}

// The child's own error is noted by now; it cancels the others before it is counted out.
void scope::child_ended(detail::scope_link& child) noexcept {
  if (child.outcome == detail::child_outcome::success && policy_.what_ == scope_policy::kind::quorum) {
    bool is_decided = false;
    {
      const detail::list_lock hold(lock_);
      is_decided = ++successes_ == policy_.needed_;
    }
    if (is_decided) cancel_children(cancel_reason::scope);
  }
  detail::wait_record* woken = nullptr;
  {
    const detail::list_lock hold(lock_);
    unlink(child.is_told ? told_children_ : untold_, child);
    const bool was_cancelled = child.outcome == detail::child_outcome::cancelled && child.fiber->is_cancelled();
    if (was_cancelled && !child.is_told && !child.is_background) lost_child_ = true;
    --live_;
    if (child.is_background) --background_;
    if (called_ == &child) {
      called_ = nullptr;
      was_last_ = live_ == 0;
    }
    auto* const joiner = static_cast<detail::wait_node*>(joiner_);
    if (joiner != nullptr && live_ == background_) {
      joiner_ = nullptr;
      if (claim(joiner->who, detail::wake_reason::notified)) woken = joiner->who.record;
    }
  }
  if (woken != nullptr) make_ready(*woken);
}

void scope::note_error(std::exception_ptr error) noexcept {
  try {
    const detail::list_lock hold(lock_);
    errors_.push_back(error);
  } catch (const std::bad_alloc&) {
    frame_.fiber->home->report_lost_error(*frame_.fiber, error);
  }
  if (policy_.what_ == scope_policy::kind::all) cancel(cancel_reason::scope);
}

void scope::cancel(cancel_reason why) noexcept {
  if (!is_in_frame_) return;  // It has been joined: then nobody but the owner may call, and nothing is left to cancel.
  // The owner may be waiting for us; it cannot leave before the calling child has ended, nor while it calls itself.
  if (detail::wait_record* const claimed = detail::cancel_inside(frame_, why)) make_ready(*claimed);
  cancel_children(why);
}

void scope::cancel_children(cancel_reason why) noexcept {
  tell_children(why);
  tell_if_exposed(*frame_.stack);
}

// The child that is called on the owner's stack is told by the frame of its call.
void scope::tell_children(cancel_reason why) noexcept {
  for (;;) {
    std::array<detail::fiber_record*, batch> told;
    std::size_t count = 0;
    detail::wait_record* called = nullptr;
    {
      const detail::list_lock hold(lock_);
      if (called_ != nullptr) called = detail::cancel_quietly(*called_in_, why);
      if (told_ == 0) told_ = static_cast<std::uint8_t>(static_cast<unsigned>(why) + 1);
      while (untold_ != nullptr && count < batch) {
        detail::scope_link& child = *untold_;
        unlink(untold_, child);
        child.is_told = true;
        push(told_children_, child);
        if (&child == called_) continue;
        detail::add_reference(child.fiber);
        told[count++] = child.fiber;
      }
    }
    if (called != nullptr) make_ready(*called);
    for (std::size_t i = 0; i < count; ++i) {
      detail::request_cancel(*told[i], why);
      detail::give_up(*told[i]);
    }
    if (count < batch) return;
  }
}

// Ends when the newest un-started fiber of the core is none of ours: what has not started then does so elsewhere.
// Returns: whether it has called any.
bool scope::call_children() noexcept {
  bool has_called = false;
  was_last_ = false;
  while (!was_last_) {
    detail::fiber_record* const f = detail::called_fiber::take(*this);
    if (f == nullptr) break;
    has_called = true;
    const detail::scope_link& child = *f->type->link_of(f->body);
    detail::called_fiber call(*f, *this, [](scope& self, cancel_reason why) noexcept { self.tell_children(why); });
    bool is_told = false;
    {
      const detail::list_lock hold(lock_);
      is_told = child.is_told;
      if (!is_told) {
        called_ = &child;
        called_in_ = &call.frame();
      }
    }
    is_told ? call.drop() : call.run();
  }
  return has_called;
}

// Closes the scope when nobody is left. Cut short, it cancels the children, and waits on, shielded.
bool scope::wait_for_children(bool cancellable) noexcept {
  bool was_cut = false;
  if (cancellable && call_children() && detail::cancel_pending()) {  // Then what was called has been cut short.
    was_cut = true;
    cancellable = false;
    cancel_children(detail::pending_reason());
  }
  for (;;) {
    bool are_background = false;
    {
      const detail::list_lock hold(lock_);
      is_closed_ = live_ == 0;
      if (is_closed_) return was_cut;
      are_background = live_ == background_;
    }
    if (are_background) cancel_children(cancel_reason::scope);
    if (cancellable && detail::cancel_pending()) {
      was_cut = true;
      cancellable = false;
      cancel_children(detail::pending_reason());
    }
    detail::wait_node n;
    n.who = detail::begin_wait(cancellable, "scope::join");
    detail::note_target(n.who, this, [](const void* object, std::uintptr_t* owners, std::size_t most) noexcept {
      const auto& self = *static_cast<const scope*>(object);
      std::size_t count = 0;
      for (detail::scope_link* const* first : {&self.untold_, &self.told_children_}) {
        count += read_children(first, owners + count, most - count);
      }
      return count;
    });
    bool is_waiting = false;
    {
      const detail::list_lock hold(lock_);
      is_waiting = are_background ? live_ != 0 : live_ != background_;
      if (is_waiting) joiner_ = &n;
    }
    const detail::wake_reason why = is_waiting ? finish_wait(n.who, detail::never) : retract_wait(n.who);
    if (is_waiting && why != detail::wake_reason::notified) {
      const detail::list_lock hold(lock_);
      joiner_ = nullptr;
    }
  }
}

void scope::join() { close_with(nullptr); }

void scope::close_with(std::exception_ptr of_body) {
  if (is_closed_) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "weft::scope::join: the scope was joined already");
  }
  bool was_cut = false;
  std::exception_ptr error;
  if (of_body != nullptr) {
    try {
      std::rethrow_exception(of_body);
    } catch (const cancelled&) {
      was_cut = detail::cancel_pending();
      if (!was_cut) error = of_body;
    } catch (...) {
      error = of_body;
    }
    cancel_children(was_cut ? detail::pending_reason() : cancel_reason::scope);
  }
  was_cut = wait_for_children(of_body == nullptr) || was_cut;
  leave();
  if (was_cut && detail::cancel_pending()) {
    report_errors();
    detail::throw_cancelled("scope::join");
  }
  throw_outcome(std::move(error));
}

void scope::throw_outcome(std::exception_ptr of_body) {
  using kind = scope_policy::kind;
  std::vector<std::exception_ptr> thrown;
  const bool has_failed = policy_.what_ == kind::all || (policy_.what_ == kind::quorum && successes_ < policy_.needed_);
  if (has_failed) thrown = errors_;
  if (of_body != nullptr) thrown.insert(thrown.begin(), of_body);
  if (thrown.size() == 1) std::rethrow_exception(thrown.front());
  if (!thrown.empty()) throw scope_errors(std::move(thrown));
  if (policy_.what_ == kind::all && lost_child_) detail::throw_lost_call("scope::join");
  if (policy_.what_ == kind::quorum && has_failed && !is_cancelled()) {
    throw join_cancelled("weft::scope::join: " + std::to_string(successes_) + " children succeeded of the " +
                         std::to_string(policy_.needed_) + " that were wanted");
  }
}

void scope::report_errors() noexcept {
  for (const std::exception_ptr& each : errors_) frame_.fiber->home->report_lost_error(*frame_.fiber, each);
}

std::size_t scope::live() const noexcept {
  const detail::list_lock hold(lock_);
  return live_;
}

}  // namespace weft::inline v0
