#include "net/accept_turn.h"

#include "scheduler/cancellation.h"

#include <cerrno>
#include <mutex>

namespace weft::inline v0::detail {

namespace {

int error_of(wake_reason why) noexcept {
  switch (why) {
    case wake_reason::timed_out:
      return ETIMEDOUT;
    case wake_reason::cancelled:
      return ECANCELED;
    case wake_reason::closed:
      return EBADF;
    case wake_reason::none:
    case wake_reason::notified:
      break;
  }
  return 0;
}

}  // namespace

wake_reason accept_turn::wait_in(wait_list list, std::int64_t deadline) noexcept {
  wait_node node;
  node.who = begin_wait(true, "tcp_listener::accept");
  list.push_back(node);
  lock_.unlock();
  const wake_reason why = finish_wait(node.who, deadline);
  // Whoever else claimed the wait has left the node in the list.
  if (why == wake_reason::timed_out || why == wake_reason::cancelled) {
    const std::lock_guard hold(lock_);
    list.unlink(node);
  }
  return why;
}

int accept_turn::enter(std::int64_t deadline) noexcept {
  if (current_fiber() == nullptr) return EPERM;
  lock_.lock();
  if (is_closed_ || !is_taken_) {
    const int error = is_closed_ ? EBADF : 0;
    if (error == 0) is_taken_ = true;
    lock_.unlock();
    return error;
  }
  return error_of(wait_in(wait_list(entering_), deadline));
}

void accept_turn::leave() noexcept {
  lock_.lock();
  wait_node* const next = wait_list(entering_).claim_front(wake_reason::notified);
  if (next == nullptr) is_taken_ = false;
  lock_.unlock();
  if (next != nullptr) make_ready(*next->who.record);
}

int accept_turn::hold_off(std::int64_t moment) noexcept {
  lock_.lock();
  if (is_closed_) {
    lock_.unlock();
    return EBADF;
  }
  const wake_reason why = wait_in(wait_list(holding_off_), moment);
  return why == wake_reason::timed_out ? 0 : error_of(why);
}

wait_node* accept_turn::claim_for_close() noexcept {
  const std::lock_guard hold(lock_);
  is_closed_ = true;
  wait_node* const waiting = wait_list(entering_).claim_front(wake_reason::closed);
  return waiting != nullptr ? waiting : wait_list(holding_off_).claim_front(wake_reason::closed);
}

void accept_turn::close() noexcept {
  while (wait_node* const waiting = claim_for_close()) make_ready(*waiting->who.record);
}

}  // namespace weft::inline v0::detail
