// The lock of a channel and its like: held for a few instructions and the move of one value, and spun for.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

// Meets BasicLockable.
class object_lock {
 public:
  WEFT_ALWAYS_INLINE void lock() noexcept {
    if (word_.exchange(1, acquire) != 0) [[unlikely]]
      lock_contended();  // Acquire pairs with unlock().
  }
  // The last touch of the object by an operation.
  WEFT_ALWAYS_INLINE void unlock() noexcept { word_.store(0, release); }  // Pairs with lock().

 private:
  WEFT_API void lock_contended() noexcept;

  atomic<std::uint32_t> word_{0};
};

}  // namespace weft::inline v0::detail
