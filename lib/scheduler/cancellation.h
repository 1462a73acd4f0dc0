// Cancelling a fiber: a sticky mark on its record, and the claim of the wait it may be in.
#pragma once

#include "scheduler/record.h"

namespace weft::inline v0::detail {

// Any thread that holds a reference to `f`. Idempotent; harmless after the end.
// Protocol: set the mark, full fence, look for a wait to claim  ||  publish the wait as suspended, full fence, look at
//   the mark (core::publish). At least one of both sees the other.
void request_cancel(fiber_record& f) noexcept;

[[noreturn]] void throw_cancelled();

// Throws weft::cancelled if the calling fiber is cancelled, and neither shielded nor unwinding.
void check_cancelled();

// Waits of the calling fiber are not cancelled in this scope.
class shielded {
 public:
  shielded() noexcept;
  ~shielded();
  shielded(const shielded&) = delete;
  shielded& operator=(const shielded&) = delete;

 private:
  fiber_record* fiber_;
};

// The calling fiber, or null outside of fibers.
fiber_record* current_fiber() noexcept;

}  // namespace weft::inline v0::detail
