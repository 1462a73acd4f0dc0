// Cancellations that meet a stack whose innermost child cannot be woken by them.
//
// A fiber that calls its children on its own stack cannot tell the others of its cancellation while one runs there. Mostly
// it need not: the cancellation ends the wait of that child, and then it is told. But a child under a shield, or in a wait
// that nothing cancels, may wait for one of the others. So before such a wait the joins of the stack are exposed, and who
// cancels the fiber tells the children of those joins itself.
//
// Roles: the *fiber* whose stack it is, with what is called there; *cancellers*, any threads.
// Invariant: while a join is exposed it is there, and so are those further up the stack, with all frames around them.
// Protocol:
//   expose (the fiber): under the lock name the innermost join; full fence; look for cancellations, and tell. Where it is
//     named already, tell of those that ended a wait of the fiber since
//   cancel: note it in the frame, set the bit; full fence; claim no wait; look at what is exposed; under the lock tell
//     At least one of both sees the other. Telling twice is harmless.
//   hide (the fiber): under the lock, before an exposed join ends.
// Locks: one of these, then that of a join or a scope; of two of these, that of the parent's stack first.
#pragma once

#include "scheduler/activation.h"

#include <cstdint>

namespace weft::inline v0::detail {

// By the fiber that runs on `a`, which calls a child there, before it waits or lets others run, open to `level` alone.
WEFT_COLD void expose_calls(activation& a, std::uint8_t level) noexcept;
WEFT_COLD void hide_calls(activation& a) noexcept;

// Any thread, which has noted a cancellation of what runs on `a`, or ran there a moment ago; with no lock of a scope or a
// join held.
WEFT_COLD void tell_exposed(activation& a) noexcept;

inline void tell_if_exposed(activation& a) noexcept {
  if (a.exposed_join.load(relaxed) != nullptr) [[unlikely]]  // Behind the fence of the canceller, see above.
    tell_exposed(a);
}

}  // namespace weft::inline v0::detail
