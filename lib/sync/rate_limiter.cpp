// Who has to wait queues up for `turn_`; the first in line alone sleeps until its permits are due, so nobody has to be
// told when somebody else gives up.
#include <weft/rate_limiter.h>

#include "platform/clock.h"
#include "scheduler/cancellation.h"
#include "scheduler/list_lock.h"
#include "scheduler/no_suspend.h"
#include "scheduler/wait.h"
#include "sync/misuse.h"

#include <algorithm>
#include <string>

namespace weft::inline v0 {

namespace {

constexpr std::int64_t largest = std::int64_t{1} << 62;

std::int64_t product(std::size_t count, std::int64_t per, const char* what) {
  if (count == 0 || per <= 0 || count > static_cast<std::size_t>(largest / per)) {
    detail::refuse(std::errc::invalid_argument, "weft::rate_limiter: a " + std::string(what) + " of " +
                                                    std::to_string(count) + " with a time of " + std::to_string(per) +
                                                    " ns");
  }
  return static_cast<std::int64_t>(count) * per;
}

// Throws: weft::cancelled.
void sleep_until(std::int64_t moment) {
  detail::check_may_wait("waits in weft::rate_limiter::acquire");
  if (detail::finish_wait(detail::begin_wait(true, "rate_limiter::acquire"), moment) == detail::wake_reason::cancelled)
    detail::throw_cancelled();
}

}  // namespace

rate_limiter::rate_limiter(const rate_limit& limit)
    : permits_(product(limit.permits, limit.per.count(), "rate") / limit.per.count()),
      per_(limit.per.count()),
      capacity_(product(limit.burst, limit.per.count(), "burst")),
      level_(capacity_),
      updated_(detail::monotonic_now()) {}

rate_limiter::~rate_limiter() {
  const detail::list_lock hold(lock_);
  if (waiting_ != 0) {
    detail::end_for_misuse("weft::~rate_limiter: a rate_limiter is destroyed while it is waited for");
  }
}

void rate_limiter::check(std::size_t count) const {
  const auto burst = static_cast<std::size_t>(capacity_ / per_);
  if (count <= burst) return;
  detail::refuse(std::errc::invalid_argument, "weft::rate_limiter::acquire: " + std::to_string(count) +
                                                  " permits wanted, with a burst of " + std::to_string(burst));
}

// Under the lock.
void rate_limiter::refill(std::int64_t now) const noexcept {
  if (now <= updated_) return;
  const detail::wide_int dripped = static_cast<detail::wide_int>(now - updated_) * permits_;
  level_ = dripped >= capacity_ - level_ ? capacity_ : level_ + static_cast<std::int64_t>(dripped);
  updated_ = now;
}

// Under the lock. Takes `cost` units and returns 0, or returns when they will be there.
std::int64_t rate_limiter::take_or_due(std::int64_t now, std::int64_t cost) noexcept {
  refill(now);
  if (level_ >= cost) {
    level_ -= cost;
    return 0;
  }
  const std::int64_t missing = cost - level_;
  return detail::saturated_deadline(updated_, missing / permits_ + (missing % permits_ != 0 ? 1 : 0));
}

bool rate_limiter::try_acquire(std::size_t count) {
  check(count);
  const std::int64_t now = detail::monotonic_now();
  const detail::list_lock hold(lock_);
  return waiting_ == 0 && take_or_due(now, static_cast<std::int64_t>(count) * per_) == 0;
}

bool rate_limiter::try_acquire_until(deadline moment, std::size_t count) {
  check(count);
  const std::int64_t cost = static_cast<std::int64_t>(count) * per_;
  std::int64_t now = detail::monotonic_now();
  {
    const detail::list_lock hold(lock_);
    if (waiting_ == 0) {
      const std::int64_t due = take_or_due(now, cost);
      if (due == 0) return true;
      if (due > moment.nanoseconds()) return false;
    }
    ++waiting_;
  }
  struct leaving {
    rate_limiter& from;
    bool has_turn = false;
    ~leaving() {
      {
        const detail::list_lock hold(from.lock_);
        --from.waiting_;
      }
      if (has_turn) from.turn_.release();
    }
  } at_end{*this};
  at_end.has_turn = turn_.try_acquire_until(moment);
  if (!at_end.has_turn) return false;
  for (std::int64_t due = 0;;) {
    // A timer may fire a moment before the clock shows it.
    now = std::max(detail::monotonic_now(), due);
    {
      const detail::list_lock hold(lock_);
      due = take_or_due(now, cost);
    }
    if (due == 0) return true;
    if (due > moment.nanoseconds()) return false;
    sleep_until(due);
  }
}

std::size_t rate_limiter::available() const noexcept {
  const std::int64_t now = detail::monotonic_now();
  const detail::list_lock hold(lock_);
  refill(now);
  return static_cast<std::size_t>(level_ / per_);
}

}  // namespace weft::inline v0
