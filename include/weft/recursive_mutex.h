// A mutex that its owner may lock again.
#pragma once

#include <weft/mutex.h>

#include <cstdint>

namespace weft::inline v0 {

// As weft::mutex, but the owner may lock it again, and it is free once each lock has had its unlock.
class WEFT_API recursive_mutex {
 public:
  constexpr recursive_mutex() noexcept = default;
  recursive_mutex(const recursive_mutex&) = delete;
  recursive_mutex& operator=(const recursive_mutex&) = delete;

  // Throws: std::system_error, resource_unavailable_try_again if it is locked too often.
  // Cancel: throws weft::cancelled if it would have to wait; then it is not locked.
  void lock();

  bool try_lock();

  // False at the deadline. Otherwise as lock().
  bool try_lock_until(deadline moment);
  bool try_lock_for(deadline moment) { return try_lock_until(moment); }

  // Throws: std::system_error, operation_not_permitted if the caller does not own it.
  // Blocks: never.
  void unlock();

 private:
  bool lock_again();

  mutex take_;
  std::uint32_t depth_ = 0;  // Of the owner.
};

// Every weft::recursive_mutex knows deadlines.
using recursive_timed_mutex = recursive_mutex;

}  // namespace weft::inline v0
