// What the rest of the library may ask about children that are called on their parents' stacks.
#pragma once

#include "scheduler/activation.h"

#include <weft/detail/fork_join.h>

#include <cstddef>

namespace weft::inline v0::detail {

// The join whose child is called on this stack at the moment; null where the occupant itself runs. By the fiber itself.
WEFT_ALWAYS_INLINE fork_join* join_called_on(const activation& a) noexcept {
  return a.identity != reinterpret_cast<std::uintptr_t>(a.occupant.load(relaxed))
             ? reinterpret_cast<fork_join*>(a.identity)
             : nullptr;
}

}  // namespace weft::inline v0::detail
