// An operation that could have waited and does not have to: now and then it lets others run, so that fibers which never
// wait do not keep a core from the rest.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/fork_lane.h>

namespace weft::inline v0::detail {

// Lets others run, where nothing forbids the calling fiber to suspend. Requires: a worker thread.
WEFT_API void give_turn() noexcept;

// Before the operation: a fiber that gives its turn holds nothing yet. One that will have to wait, where `is_free()` does
// not hold, has no need to. On a plain thread it is nothing.
template <class IsFree>
WEFT_ALWAYS_INLINE void spend_operation(IsFree is_free) noexcept {
  fork_lane* const lane = lane_here();
  if (lane == nullptr || --lane->operations_left != 0) [[likely]]
    return;
  lane->operations_left = fork_lane::operations_per_turn;
  if (is_free()) give_turn();
}

}  // namespace weft::inline v0::detail
