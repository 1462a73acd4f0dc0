// Mutual exclusion between fibers, between plain threads, and between both.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/atomic.h>
#include <weft/detail/config.h>
#include <weft/detail/fork_lane.h>
#include <weft/detail/wait_list_ends.h>

#include <cstdint>
#include <mutex>

namespace weft::inline v0 {

namespace detail {
class uncancelled_lock;
enum class wake_reason : std::uint8_t;
struct mutex_waiter;
}  // namespace detail

// Meets Lockable: std::unique_lock, std::scoped_lock and std::lock_guard work. A waiting fiber frees its
// core; a waiting thread blocks. A lock() that need not wait may let others run first, once in a while; try_lock() never does.
//
// Thread safety: all members may be called at once.
// Lifetime: may be destroyed the instant its next owner, or its wait, has returned from its call. Destroying it while
//   it is locked or waited for ends the program with a message.
// Fairness: who comes along may overtake those that wait; one that was woken four times and found itself overtaken is
//   handed the lock the next time.
class WEFT_API mutex {
 public:
  constexpr mutex() noexcept = default;
  ~mutex();
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Throws: std::system_error, resource_deadlock_would_occur if the caller owns it already.
  // Cancel: throws weft::cancelled if it would have to wait; then it is not locked.
  // Ordering: what was done under the lock before is visible.
  void lock() {
    detail::fork_lane* const lane = detail::lane_here();
    std::uintptr_t unlocked = 0;
    // Pairs with unlock(). A plain thread takes the long way.
    if (lane != nullptr && lane->current != nullptr && --lane->operations_left != 0 &&
        word_.compare_exchange_strong(unlocked, detail::seat_of(lane->current).identity, detail::acquire,
                                      detail::relaxed)) [[likely]]
      return;
    lock_contended();
  }

  bool try_lock() noexcept;

  // False at the deadline. Otherwise as lock().
  bool try_lock_until(deadline moment);
  bool try_lock_for(deadline moment) { return try_lock_until(moment); }

  // Throws: std::system_error, operation_not_permitted if the caller does not own it.
  // Blocks: never.
  void unlock() {
    const detail::fork_lane* const lane = detail::lane_here();
    if (lane != nullptr && lane->current != nullptr) [[likely]] {
      std::uintptr_t seen = detail::seat_of(lane->current).identity;
      // Pairs with lock() and try_lock().
      if (word_.compare_exchange_strong(seen, 0, detail::release, detail::relaxed)) [[likely]]
        return;
    }
    unlock_contended();
  }

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
  void lock_list() noexcept;
  void pass_wake_on() noexcept;
  detail::wake_reason wait_in_list(detail::mutex_waiter& n, std::int64_t limit) noexcept;
  void unlock_slow() noexcept;
  void relock_shielded() noexcept;
  void check_not_mine(std::uintptr_t me) const;

  // The owner and three marks: the store that frees the mutex is the last touch of it.
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
