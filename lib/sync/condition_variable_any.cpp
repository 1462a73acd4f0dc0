// A lock of the user's own may wait while it unlocks, so a waiter is in line before its wait has begun.
//
// Protocol: each node has a stage. Waiter: `arriving` (in line, then unlock), begin the wait, `arriving` -> `waiting`; if
//   that fails it was notified meanwhile and does not wait. Notifier, under the lock: unlink the oldest, its stage ->
//   `notified`; if it was `arriving`, that is all: the waiter finds it, and its frame may be gone at once. If it was
//   `waiting`, claim it; one that gave up, or is `gone` because its unlock threw, leaves the notification to the next.
#include <weft/condition_variable_any.h>

#include "scheduler/cancellation.h"
#include "scheduler/list_lock.h"
#include "scheduler/no_suspend.h"
#include "scheduler/wait_list.h"
#include "sync/misuse.h"
#include "sync/woken.h"

namespace weft::inline v0 {

namespace {

enum class stage : std::uint32_t { arriving, waiting, notified, gone };

struct any_waiter : detail::wait_node {
  detail::atomic<stage> at{stage::arriving};
};

// Under the lock: takes the notification to the oldest that has use for it. False if there is none.
bool notify_next(detail::wait_list_ends& waiters, detail::woken_waiters& woken) noexcept {
  while (waiters.first != nullptr) {
    auto& n = static_cast<any_waiter&>(*waiters.first);
    detail::wait_list(waiters).unlink(n);
    // Acquire pairs with the exchange in wait_with(): `who` is whole. Release pairs with its failure.
    const stage before = n.at.exchange(stage::notified, detail::acq_rel);
    if (before == stage::arriving) return true;
    if (before == stage::gone || !claim(n.who, detail::wake_reason::notified)) continue;
    woken.add(n);
    return true;
  }
  return false;
}

}  // namespace

condition_variable_any::~condition_variable_any() {
  const detail::list_lock hold(lock_);
  if (waiters_.first != nullptr) {
    detail::end_for_misuse("weft::~condition_variable_any: a condition variable is destroyed while it is waited for");
  }
}

void condition_variable_any::notify_one() noexcept {
  detail::woken_waiters woken;
  {
    const detail::list_lock hold(lock_);
    notify_next(waiters_, woken);
  }
  woken.make_ready();
}

void condition_variable_any::notify_all() noexcept {
  detail::woken_waiters woken;
  {
    const detail::list_lock hold(lock_);
    while (notify_next(waiters_, woken)) {
    }
  }
  woken.make_ready();
}

std::cv_status condition_variable_any::wait_with(any_lock user, std::int64_t limit) {
  detail::check_may_wait("waits in weft::condition_variable_any::wait");
  any_waiter n;
  const auto leave = [&] {
    const detail::list_lock hold(lock_);
    detail::wait_list(waiters_).unlink(n);
  };
  {
    const detail::list_lock hold(lock_);
    detail::wait_list(waiters_).push_back(n);
  }
  try {
    user.unlock(user.held);
  } catch (...) {
    stage arriving = stage::arriving;
    // Once it is notified the condition variable may be gone.
    if (n.at.compare_exchange_strong(arriving, stage::gone, detail::relaxed, detail::relaxed)) leave();
    throw;
  }
  n.who = detail::begin_wait(true, "condition_variable_any::wait");
  auto why = detail::wake_reason::notified;
  stage expected = stage::arriving;
  if (n.at.compare_exchange_strong(expected, stage::waiting, detail::acq_rel, detail::acquire)) {
    why = detail::finish_wait(n.who, limit);
    if (why != detail::wake_reason::notified) leave();
  } else {
    detail::retract_wait(n.who);  // A cancellation that came in between stays pending.
  }
  [&]() noexcept {
    const detail::shielded unless_locked;
    user.lock(user.held);
  }();
  if (why == detail::wake_reason::cancelled) detail::throw_cancelled();
  return why == detail::wake_reason::timed_out ? std::cv_status::timeout : std::cv_status::no_timeout;
}

}  // namespace weft::inline v0
