#include "scheduler/timers.h"

namespace weft::inline v0::detail {

namespace {
constexpr std::size_t batch = 64;  // Bounds how long the lock is held.

void* fire_wait(timer_node& t) {
  const waiter& who = static_cast<wait_timer&>(t).who;
  return claim(who, wake_reason::timed_out) ? who.record : nullptr;
}
}  // namespace

wait_timer::wait_timer(const waiter& w, std::int64_t when) noexcept : who(w) {
  deadline = when;
  fire = &fire_wait;
}

void timers::arm(timer_node& t) noexcept {
  const std::scoped_lock hold(lock_);
  wheel_.insert(t);
  armed_.store(armed_.load(relaxed) + 1, relaxed);
  if (t.deadline < watched_until_) {
    watched_until_ = t.deadline;  // One wake is enough: the watcher asks again.
    wake_(watcher_);
  }
}

void timers::disarm(timer_node& t) noexcept {
  const std::scoped_lock hold(lock_);
  // Release: hands on what others did under the lock. Pairs with is_done().
  if (wheel_.remove(t)) armed_.store(armed_.load(relaxed) - 1, release);
}

std::size_t timers::run_due(std::int64_t now) noexcept {
  std::size_t fired = 0;
  for (;;) {
    wait_record* claimed[batch];
    std::size_t count = 0;
    std::size_t expired = 0;
    {
      const std::scoped_lock hold(lock_);
      if (wheel_.empty()) return fired;
      intrusive_list<timer_node> due;
      expired = wheel_.expire(now, due, batch);
      fired_.store(fired_.load(relaxed) + expired, relaxed);
      while (timer_node* const t = due.pop_front()) {
        if (void* const record = t->fire(*t)) claimed[count++] = static_cast<wait_record*>(record);
      }
      armed_.store(armed_.load(relaxed) - expired, release);  // Their waits are claimed. Pairs with is_done().
    }
    for (std::size_t i = 0; i < count; ++i) make_ready(*claimed[i]);
    fired += expired;
    if (expired < batch) return fired;
  }
}

std::int64_t timers::next_deadline() noexcept {
  const std::scoped_lock hold(lock_);
  return wheel_.next_deadline();
}

std::int64_t timers::watch() noexcept {
  const std::scoped_lock hold(lock_);
  return watched_until_ = wheel_.next_deadline();
}

void timers::unwatch() noexcept {
  const std::scoped_lock hold(lock_);
  watched_until_ = -1;
}

}  // namespace weft::inline v0::detail
