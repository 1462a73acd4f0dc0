// Cancelling a fiber, as a whole or from one of the scopes that it is in.
//
// Roles: the *fiber* enters and leaves scopes and shields, and waits; *cancellers* (handles, timers, children that
//   failed, the end of the runtime) cancel it as a whole, or one of its scopes.
// Levels: a scope that was entered under n open shields cancels at level n, the fiber as a whole at level 0. A wait under
//   n shields is open to level n only: what was cancelled outside of a shield does not reach into it, what was cancelled
//   inside does. An exception that unwinds the stack counts as a shield: a destructor that waits is not cut short from
//   outside, but a timeout of its own works. Both nest, so that equal sums mean the same place.
// Invariant: the bit of level n in the record's marks is set while a scope of level n is cancelled that the fiber has
//   not left (and, for level 0, once the fiber is cancelled). Only the fiber clears bits.
// Protocol:
//   cancel: note it in the scope; set the bit; full fence; look for a wait that is open to the level, and claim it
//   wait:   publish the wait as suspended; full fence; look at the bits (core::publish)
//     At least one of both sees the other.
//   leave:  clear the bit; full fence; set it again if another scope of that level, or the fiber, is cancelled
//     A canceller whose bit was cleared had noted its scope before, so it is seen.
#pragma once

#include "scheduler/activation.h"
#include "scheduler/record.h"

#include <weft/cancelled.h>
#include <weft/detail/cancel_frame.h>

#include <exception>

namespace weft::inline v0::detail {

// Any thread that holds a reference to `f`. Idempotent, the first reason stays; harmless after the end.
void request_cancel(fiber_record& f, cancel_reason why) noexcept;

// The same for a fiber that has not been launched yet.
void mark_cancelled(fiber_record& f, cancel_reason why) noexcept;

// Any thread; the frame's fiber must not leave it meanwhile. Cancels what the fiber does inside of the frame.
// Returns: null, or a record whose wait it claimed, for make_ready().
wait_record* cancel_inside(cancel_frame& frame, cancel_reason why) noexcept;

// The same for who holds a lock: once that is dropped, and if nothing was claimed, it calls tell_if_exposed() for the
// frame's stack.
wait_record* cancel_quietly(cancel_frame& frame, cancel_reason why) noexcept;

// Throws weft::cancelled with the reason that is to be obeyed first, that of the outermost scope. Not the first throw
// since the fiber was last cancelled: lets others run before. Once there were very many, reports the fiber. `call` is
// named where the exception ends the program; null for the call that began the fiber's last wait.
[[noreturn]] void throw_cancelled(const char* call = nullptr);

// Requires: cancel_pending(). The reason that throw_cancelled() would give.
cancel_reason pending_reason() noexcept;

// What becomes of a fiber that was not cancelled and ends with somebody else's `cancelled`, out of an exception_ptr.
std::exception_ptr foreign_cancellation() noexcept;

// Makes the end of the process name the fiber and the call where a `cancelled` leaves a noexcept function. Keeps the
// handler that was there, and calls it afterwards.
void report_escaped_cancellations() noexcept;

// By the fiber that runs on `a`.
inline void set_shields(activation& a, unsigned depth) noexcept {
  a.shield_depth = static_cast<std::uint16_t>(depth);
  a.level = cancel_level_bit(depth);
}
inline void open_shield(activation& a) noexcept { set_shields(a, a.shield_depth + 1U); }
inline void close_shield(activation& a) noexcept { set_shields(a, a.shield_depth - 1U); }

// Waits of the calling fiber are not cancelled from outside of this scope.
class shielded {
 public:
  shielded() noexcept;
  ~shielded();
  shielded(const shielded&) = delete;
  shielded& operator=(const shielded&) = delete;

 private:
  activation* stack_;
};

// The calling fiber, or null outside of fibers.
fiber_record* current_fiber() noexcept;

}  // namespace weft::inline v0::detail
