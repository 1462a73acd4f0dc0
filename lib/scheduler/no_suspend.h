// The check behind no_suspend: whether a fiber that is about to suspend, or to end, holds a guard that forbids it.
//
// The guards of a fiber are counted on its activation, so that no call lets others run where it need not wait, and hang
// there, innermost first. In builds without WEFT_CHECKED the list stays empty and the checks are nothing.
#pragma once

#include "scheduler/activation.h"
#include "scheduler/core.h"

#include <weft/no_suspend.h>

namespace weft::inline v0::detail {

// Ends the program with a message. `act` is what the fiber was about to do.
[[noreturn]] WEFT_COLD void end_for_broken_mark(const activation& a, const no_suspend_mark& mark,
                                                const char* act) noexcept;

// The calling fiber is `a`.
WEFT_ALWAYS_INLINE void check_marks([[maybe_unused]] activation& a, [[maybe_unused]] const char* act) noexcept {
#ifdef WEFT_CHECKED
  if (a.no_suspend_marks != nullptr) [[unlikely]]
    end_for_broken_mark(a, *a.no_suspend_marks, act);
#endif
}

// For calls that are about to wait; does nothing outside of fibers. `act`: "waits in weft::mutex::lock".
WEFT_ALWAYS_INLINE void check_may_wait([[maybe_unused]] const char* act) noexcept {
#ifdef WEFT_CHECKED
  if (core* const c = here(); c != nullptr && c->current != nullptr) check_marks(*c->current, act);
#endif
}

}  // namespace weft::inline v0::detail
