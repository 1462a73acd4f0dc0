// Mutual exclusion between fibers, between plain threads, and between both.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/atomic.h>
#include <weft/detail/config.h>
#include <weft/detail/wait_list_ends.h>

#include <cstdint>
#include <mutex>

namespace weft::inline v0 {

namespace detail {
class uncancelled_lock;
}

// Meets Lockable: std::unique_lock, std::scoped_lock and std::lock_guard work. A waiting fiber frees its
// core; a waiting thread blocks. A lock() that need not wait may let others run first, once in a while; try_lock() never does.
//
// Thread safety: all members may be called at once.
// Lifetime: may be destroyed the instant its next owner, or its wait, has returned from its call. Destroying it while
//   it is locked or waited for ends the program with a message.
// Fairness: a fiber that comes along may overtake those that wait; one that was overtaken is handed the lock next time.
class WEFT_API mutex {
 public:
  constexpr mutex() noexcept = default;
  ~mutex();
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Throws: std::system_error, resource_deadlock_would_occur if the caller owns it already.
  // Cancel: throws weft::cancelled if it would have to wait; then it is not locked.
  // Ordering: what was done under the lock before is visible.
  void lock();

  bool try_lock() noexcept;

  // False at the deadline. Otherwise as lock().
  bool try_lock_until(deadline moment);
  bool try_lock_for(deadline moment) { return try_lock_until(moment); }

  // Throws: std::system_error, operation_not_permitted if the caller does not own it.
  // Blocks: never.
  void unlock();

 private:
  friend class condition_variable;
  friend class recursive_mutex;
  friend class detail::uncancelled_lock;

  enum class lock_result : std::uint8_t { locked, timed_out, cancelled };

  bool is_mine() const noexcept;
  void lock_contended();
  bool try_lock_contended() noexcept;
  void unlock_contended();
  lock_result lock_slow(std::uintptr_t me, std::int64_t limit, bool cancellable) noexcept;
  std::uintptr_t lock_list() noexcept;
  void unlock_slow() noexcept;
  void relock_shielded() noexcept;
  void check_not_mine(std::uintptr_t me) const;

  // Owner | waited bit | list lock bit: the store that frees the mutex is the last touch of it.
  detail::atomic<std::uintptr_t> word_{0};
  detail::wait_list_ends waiters_;  // Under the list lock bit.
};

// Every weft::mutex knows deadlines.
using timed_mutex = mutex;

namespace detail {

// Holds a mutex for a scope that has to be entered, whether the fiber is cancelled or not.
class uncancelled_lock {
 public:
  explicit uncancelled_lock(mutex& held) noexcept : held_(held) { held_.relock_shielded(); }
  ~uncancelled_lock() { held_.unlock(); }
  uncancelled_lock(const uncancelled_lock&) = delete;
  uncancelled_lock& operator=(const uncancelled_lock&) = delete;

 private:
  mutex& held_;
};

}  // namespace detail

}  // namespace weft::inline v0
