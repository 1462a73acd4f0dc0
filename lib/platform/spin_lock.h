// A lock for critical sections of a few instructions.
#pragma once

#include "platform/thread.h"

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

namespace weft::inline v0::detail {

// Meets Lockable. One byte; free is all zeroes. Not fair, not recursive.
//
// Blocks: thread. It spins, and lets other threads of its CPU run when that takes long, because the holder may be
//   one. So nothing that suspends, allocates or calls the system belongs into such a section.
class spin_lock {
 public:
  spin_lock() = default;
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;

  WEFT_ALWAYS_INLINE void lock() noexcept {
    if (is_locked_.exchange(true, acquire)) [[unlikely]]
      lock_contended();  // Acquire pairs with unlock().
  }

  WEFT_ALWAYS_INLINE bool try_lock() noexcept {
    // A stale `true` only fails early; acquire pairs with unlock().
    return !is_locked_.load(relaxed) && !is_locked_.exchange(true, acquire);
  }

  WEFT_ALWAYS_INLINE void unlock() noexcept { is_locked_.store(false, release); }  // Pairs with lock().

 private:
  static constexpr int spins_before_yield = 256;

  WEFT_COLD void lock_contended() noexcept {
    do {
      for (int spins = 0; is_locked_.load(relaxed); ++spins) {  // Reads only: the line stays shared while held.
        if (spins < spins_before_yield) {
          spin_pause();
        } else {
          yield_thread();
        }
      }
    } while (is_locked_.exchange(true, acquire));  // Pairs with unlock().
  }

  atomic<bool> is_locked_{false};
};

}  // namespace weft::inline v0::detail
