// A part of what a fiber does that can be cancelled by itself: what timeouts and scopes are made of.
#pragma once

#include <weft/cancelled.h>
#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

class fiber_record;
struct activation;

struct cancel_frame {
  cancel_frame* outer = nullptr;  // The fiber's; as the next two.
  fiber_record* fiber = nullptr;
  activation* stack = nullptr;
  atomic<std::uint8_t> cancelled{0};  // 0, or the cancel_reason + 1. Cancellers write it once.
  std::uint8_t level = 0;             // A bit; 0 under more shields than there are levels.

  bool is_cancelled() const noexcept { return cancelled.load(acquire) != 0; }  // Pairs with cancel_inside().
};

// The calling fiber is in `frame` from now on. False outside of fibers; then nothing happened.
WEFT_API bool enter_frame(cancel_frame& frame) noexcept;

// The fiber that entered `frame` leaves it. Requires: nobody can cancel it any more.
WEFT_API void leave_frame(cancel_frame& frame) noexcept;

// Whether the next cancellable wait of the calling fiber would end at once.
WEFT_API bool cancel_pending() noexcept;

WEFT_API void enter_shield() noexcept;
WEFT_API void leave_shield() noexcept;

}  // namespace weft::inline v0::detail
