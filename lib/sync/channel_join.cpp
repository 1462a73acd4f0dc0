// Waiting until everything that was sent has been dealt with.
#include "scheduler/cancellation.h"
#include "sync/channel_section.h"
#include "sync/suspend_until.h"

#include <weft/detail/channel_core.h>

#include <system_error>

namespace weft::inline v0::detail {

namespace {

void claim_all(wait_list_ends& list, wake_chain& woken) noexcept {
  while (wait_node* const n = wait_list(list).claim_front(wake_reason::notified)) woken.add(*n);
}

}  // namespace

void channel_core::task_done() {
  {
    lock();
    channel_section section(*this);
    if (unfinished_ != 0) {
      if (--unfinished_ == 0 && joiners_.first != nullptr) claim_all(joiners_, section.woken());
      return;
    }
  }
  throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                          "weft::channel::task_done: called more often than values were sent");
}

void channel_core::forget(std::size_t count) noexcept {
  channel_section section(*this);
  // Some may have been reported by who never took them.
  unfinished_ -= count < unfinished_ ? count : unfinished_;
  count_ = 0;
  if (unfinished_ == 0) claim_all(joiners_, section.woken());
}

bool channel_core::join_until(std::int64_t deadline) {
  wait_node n;
  {
    lock();
    const unlock_at_end hold{*this};
    if (unfinished_ == 0) return true;
    if (deadline <= 0) return false;
    n.who = begin_wait_here("channel::join");
    wait_list(joiners_).push_back(n);
  }
  const wake_reason why = suspend_until_woken(n.who, deadline);
  if (why == wake_reason::notified) return true;
  lock();
  wait_list(joiners_).unlink(n);
  unlock();
  if (why == wake_reason::cancelled) throw_cancelled();
  return false;
}

}  // namespace weft::inline v0::detail
