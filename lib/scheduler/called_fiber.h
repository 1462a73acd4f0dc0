// A fiber that has not started, called on the stack of another one, which waits for its end and can do nothing before.
//
// It is a fiber to itself and to others as far as they can tell: id, name, variables and exception state are its own, and
// reports show it where the stack is. What it does obeys the cancellations of the caller, and those of `frame()`: who
// cancels the fiber itself must cancel that frame, for its own record is looked at only before it starts.
#pragma once

#include "scheduler/record.h"

#include <weft/detail/fork_join.h>

#include <exception>

namespace weft::inline v0 {

class scope;

namespace detail {

class called_fiber : private fork_join {
 public:
  // The newest un-started fiber of this core, if it is a child of `owner` whose fiber, in its join, may call it now;
  // else null. Lets others run first where the caller has held its core for long. By a fiber.
  static fiber_record* take(const scope& owner) noexcept;

  // The caller is `f` from now on, a fiber that take() gave. `tell` passes a cancellation of the caller on to the other
  // children, if it comes while the call lasts and cannot reach the caller; any thread calls it, at any time.
  called_fiber(fiber_record& f, scope& owner, void (*tell)(scope& owner, cancel_reason why) noexcept) noexcept;
  ~called_fiber();
  called_fiber(const called_fiber&) = delete;
  called_fiber& operator=(const called_fiber&) = delete;

  cancel_frame& frame() noexcept { return frame_; }
  void tell_siblings(cancel_reason why) noexcept { tell_(owner_, why); }

  // One of both, once: calls it, or ends it before its first instruction.
  void run() noexcept;
  void drop() noexcept;

  // What is called on the stack `a` at the moment; null for a child of gather(), and where nothing is called. By the fiber
  // that runs there.
  static const fiber_record* on(const activation& a) noexcept;

 private:
  friend class fork_join;
  friend struct stack_occupants;

  void end() noexcept;

  fiber_record* fiber_;
  scope& owner_;
  void (*tell_)(scope& owner, cancel_reason why) noexcept;
};

// The error of a child that would have needed a stack of its own; what is thrown instead where there is no memory for it.
std::exception_ptr no_stack_for_child(const char* text) noexcept;

}  // namespace detail
}  // namespace weft::inline v0
