#include <weft/recursive_mutex.h>

#include "sync/misuse.h"

#include <limits>

namespace weft::inline v0 {

bool recursive_mutex::lock_again() {
  if (!take_.is_mine()) return false;
  if (depth_ == std::numeric_limits<std::uint32_t>::max()) {
    detail::refuse(std::errc::resource_unavailable_try_again, "weft::recursive_mutex::lock: locked 2^32 - 1 times");
  }
  ++depth_;
  return true;
}

void recursive_mutex::lock() {
  if (lock_again()) return;
  take_.lock();
  depth_ = 1;
}

bool recursive_mutex::try_lock() {
  if (lock_again()) return true;
  if (!take_.try_lock()) return false;
  depth_ = 1;
  return true;
}

bool recursive_mutex::try_lock_until(deadline moment) {
  if (lock_again()) return true;
  if (!take_.try_lock_until(moment)) return false;
  depth_ = 1;
  return true;
}

void recursive_mutex::unlock() {
  if (!take_.is_mine()) {
    detail::refuse(std::errc::operation_not_permitted, "weft::recursive_mutex::unlock: the caller does not own it");
  }
  if (--depth_ == 0) take_.unlock();
}

}  // namespace weft::inline v0
