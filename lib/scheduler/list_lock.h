// Holds the lock word of an object, of its list of waiters for one, for a few instructions.
#pragma once

#include "platform/backoff.h"

#include <weft/detail/atomic.h>

#include <cstdint>

namespace weft::inline v0::detail {

class list_lock {
 public:
  explicit list_lock(atomic<std::uint32_t>& word) noexcept : word_(word) {
    backoff pause;
    while (word_.exchange(1, acquire) != 0) pause.wait();  // Pairs with ~list_lock().
  }
  ~list_lock() { word_.store(0, release); }  // The last touch of the object.
  list_lock(const list_lock&) = delete;
  list_lock& operator=(const list_lock&) = delete;

 private:
  atomic<std::uint32_t>& word_;
};

}  // namespace weft::inline v0::detail
