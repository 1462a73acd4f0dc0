// A condition variable for any lock.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/atomic.h>
#include <weft/detail/config.h>
#include <weft/detail/wait_list_ends.h>

#include <condition_variable>
#include <cstdint>
#include <utility>

namespace weft::inline v0 {

// As std::condition_variable_any, from fibers and plain threads: for whatever has lock() and unlock(), such as
// std::shared_lock<weft::shared_mutex> or weft::recursive_mutex itself, locked once.
//
// Thread safety: all members may be called at once.
// Lifetime: may be destroyed once all waiters have been notified, even before they have returned; a wait that timed out,
//   was cancelled or failed must have returned.
class WEFT_API condition_variable_any {
 public:
  constexpr condition_variable_any() noexcept = default;
  ~condition_variable_any();
  condition_variable_any(const condition_variable_any&) = delete;
  condition_variable_any& operator=(const condition_variable_any&) = delete;

  void notify_one() noexcept;
  void notify_all() noexcept;

  // Unlocks, waits to be notified, and locks again before it returns or throws. May also return without a reason.
  // Throws: what unlock() throws, and a notification that came meanwhile is used up; an exception out of lock() ends the
  //   program.
  // Cancel: throws weft::cancelled, with the lock held again.
  template <class Lock>
  void wait(Lock& lock) {
    wait_until(lock, deadline::never());
  }
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate until) {
    while (!until()) wait(lock);
  }

  // As wait(), at most until `moment`.
  template <class Lock>
  std::cv_status wait_until(Lock& lock, deadline moment) {
    return wait_with({&lock, [](void* held) { static_cast<Lock*>(held)->unlock(); },
                      [](void* held) { static_cast<Lock*>(held)->lock(); }},
                     moment.nanoseconds());
  }
  template <class Lock>
  std::cv_status wait_for(Lock& lock, deadline moment) {
    return wait_until(lock, moment);
  }
  template <class Lock, class Predicate>
  bool wait_until(Lock& lock, deadline moment, Predicate until) {
    while (!until()) {
      if (wait_until(lock, moment) == std::cv_status::timeout) return until();
    }
    return true;
  }
  template <class Lock, class Predicate>
  bool wait_for(Lock& lock, deadline moment, Predicate until) {
    return wait_until(lock, moment, std::move(until));
  }

 private:
  struct any_lock {
    void* held;
    void (*unlock)(void* held);
    void (*lock)(void* held);
  };

  std::cv_status wait_with(any_lock user, std::int64_t limit);

  detail::atomic<std::uint32_t> lock_{0};
  detail::wait_list_ends waiters_;  // Under lock_.
};

}  // namespace weft::inline v0
