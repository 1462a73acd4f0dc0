// Who calls: the owner word of everything that has an owner.
#pragma once

#include "scheduler/core.h"
#include "scheduler/plain_thread.h"

#include <weft/detail/fork_join.h>

#include <cstdint>

namespace weft::inline v0::detail {

// Of a fiber its record, of a child that is called on its parent's stack its join, of a plain thread its own record. All
// are aligned: the lowest three bits are clear.

// 0 outside of fibers. For fast paths: it calls nothing.
WEFT_ALWAYS_INLINE std::uintptr_t fiber_identity() noexcept {
  const core* const c = here();
  if (c == nullptr || c->current == nullptr) [[unlikely]]
    return 0;
  return c->current->identity;
}

// Throws: std::bad_alloc, at a plain thread's first call.
inline std::uintptr_t caller_identity() {
  const std::uintptr_t fiber = fiber_identity();
  return fiber != 0 ? fiber : reinterpret_cast<std::uintptr_t>(&this_thread_record());
}

static_assert(alignof(fiber_record) >= 8 && alignof(thread_record) >= 8 && alignof(fork_join) >= 8);

}  // namespace weft::inline v0::detail
