// Waiting for a condition that others make true under a mutex.
#pragma once

#include <weft/mutex.h>

#include <condition_variable>
#include <utility>

namespace weft::inline v0 {

// As std::condition_variable, for std::unique_lock<weft::mutex>, from fibers and plain threads.
//
// Thread safety: all members may be called at once.
// Lifetime: may be destroyed once all waiters have been notified, even before they have returned; a wait that timed out
//   or was cancelled must have returned.
class WEFT_API condition_variable {
 public:
  constexpr condition_variable() noexcept = default;
  ~condition_variable();
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;

  void notify_one() noexcept;
  void notify_all() noexcept;

  // Unlocks, waits to be notified, and locks again before it returns or throws. May also return without a reason.
  // Throws: std::system_error (operation_not_permitted) if the caller does not own the lock.
  // Cancel: throws weft::cancelled, with the lock held again.
  void wait(std::unique_lock<mutex>& lock);

  template <class Predicate>
  void wait(std::unique_lock<mutex>& lock, Predicate until) {
    while (!until()) wait(lock);
  }

  // As wait(), at most until `moment`.
  std::cv_status wait_until(std::unique_lock<mutex>& lock, deadline moment);
  std::cv_status wait_for(std::unique_lock<mutex>& lock, deadline moment) { return wait_until(lock, moment); }

  template <class Predicate>
  bool wait_until(std::unique_lock<mutex>& lock, deadline moment, Predicate until) {
    while (!until()) {
      if (wait_until(lock, moment) == std::cv_status::timeout) return until();
    }
    return true;
  }
  template <class Predicate>
  bool wait_for(std::unique_lock<mutex>& lock, deadline moment, Predicate until) {
    return wait_until(lock, moment, std::move(until));
  }

 private:
  detail::atomic<std::uint32_t> lock_{0};
  detail::wait_list_ends waiters_;  // Under lock_.
};

}  // namespace weft::inline v0
