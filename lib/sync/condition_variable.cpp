#include <weft/condition_variable.h>

#include "scheduler/cancellation.h"
#include "scheduler/list_lock.h"
#include "scheduler/no_suspend.h"
#include "scheduler/wait_list.h"
#include "sync/misuse.h"

#include <system_error>

namespace weft::inline v0 {

condition_variable::~condition_variable() {
  const detail::list_lock hold(lock_);
  if (waiters_.first != nullptr) {
    detail::end_for_misuse("weft::~condition_variable: a condition variable is destroyed while it is waited for");
  }
}

void condition_variable::notify_one() noexcept {
  detail::wait_node* woken = nullptr;
  {
    const detail::list_lock hold(lock_);
    woken = detail::wait_list(waiters_).claim_front(detail::wake_reason::notified);
  }
  if (woken != nullptr) make_ready(*woken->who.record);
}

void condition_variable::notify_all() noexcept {
  detail::wait_node* woken = nullptr;
  detail::wait_node** end = &woken;
  {
    const detail::list_lock hold(lock_);
    detail::wait_list list(waiters_);
    while (detail::wait_node* const n = list.claim_front(detail::wake_reason::notified)) {
      *end = n;
      end = &n->next;
    }
    *end = nullptr;
  }
  while (woken != nullptr) {
    detail::wait_record& record = *woken->who.record;
    woken = woken->next;  // Read first: the waiter's frame may be gone after make_ready().
    make_ready(record);
  }
}

void condition_variable::wait(std::unique_lock<mutex>& lock) { wait_until(lock, deadline::never()); }

std::cv_status condition_variable::wait_until(std::unique_lock<mutex>& lock, deadline moment) {
  if (!lock.owns_lock() || !lock.mutex()->is_mine()) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::condition_variable::wait: the caller does not own the lock");
  }
  detail::check_may_wait("waits in weft::condition_variable::wait");
  mutex& m = *lock.mutex();
  detail::wait_node n;
  n.who = detail::begin_wait(true, "condition_variable::wait");
  {
    const detail::list_lock hold(lock_);
    detail::wait_list(waiters_).push_back(n);
  }
  m.unlock();
  const detail::wake_reason why = detail::finish_wait(n.who, moment.nanoseconds());
  if (why != detail::wake_reason::notified) {
    const detail::list_lock hold(lock_);
    detail::wait_list(waiters_).unlink(n);
  }
  m.relock_shielded();
  if (why == detail::wake_reason::cancelled) detail::throw_cancelled("condition_variable::wait");
  return why == detail::wake_reason::timed_out ? std::cv_status::timeout : std::cv_status::no_timeout;
}

}  // namespace weft::inline v0
