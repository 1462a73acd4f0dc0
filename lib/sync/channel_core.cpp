// Roles: *senders*, *receivers*, plain ones and cases of a select; *closers*.
// Invariant, under the lock: a receiver that can be claimed waits only while the buffer is empty and no sender of
//   another wait can be claimed; a sender waits only while the buffer is full. So whoever comes along overtakes nobody:
//   it finds either what it wants and no one who waits for it, or a list that it joins at the end.
// Protocol of whoever finds a partner: lock; unlink the partner's node; claim its wait; move the value between the two
//   frames, neither of which can go away (one is ours, the other one is claimed and not yet ready); unlock, the last
//   touch of the channel; make_ready, the last touch of the partner.
//   Where moving throws, the value stays where it was. The partner is woken with `again`, and looks again, from the
//   front of the list; the exception belongs to the one whose call it is.
// A select takes part as two nodes of one wait, see select.cpp; on one channel it may have both, and passes over its own.
#include <weft/detail/channel_core.h>

#include "scheduler/cancellation.h"
#include "sync/channel_inline.h"
#include "sync/misuse.h"
#include "sync/suspend_until.h"

#include <weft/channel_closed.h>
#include <weft/this_fiber.h>

#include <utility>

namespace weft::inline v0::detail {

channel_core::~channel_core() {
  lock();
  if (receivers_.first != nullptr || senders_.first != nullptr || joiners_.first != nullptr) {
    end_for_misuse("weft::~channel: a channel is destroyed while it is waited for");
  }
  unlock();
}

WEFT_COLD void channel_core::take_turn() {
  run_left_ = longest_run;
  unlock();
  if (current_fiber() != nullptr) this_fiber::yield();
  lock();
}

// A sender whose value throws here throws it again in its own call, and leaves room to the next one.
WEFT_NOINLINE void channel_core::refill(channel_section& section) noexcept {
  while (count_ < limit_) {
    channel_node* const n = section.claim_front(senders_);
    if (n == nullptr) return;
    try {
      ops_.put(*this, n->place);
    } catch (...) {
      continue;
    }
    n->outcome = channel_outcome::handed;
    note_put();
  }
}

channel_status channel_core::send_slow(void* value, std::int64_t deadline) {
  if (run_left_ != 0) {
    --run_left_;
  } else if (deadline > 0) {
    take_turn();
  }
  for (bool has_aged = false;;) {
    channel_node n;
    {
      channel_section section(*this);
      const channel_status found = offer(value, section);
      if (found != channel_status::would_wait || deadline <= 0) {
        if (found != channel_status::no_memory) return found;
      } else {
        run_left_ = longest_run;
        n.place = value;
        n.who = begin_wait_here("channel::send");
        has_aged ? wait_list(senders_).push_front(n) : wait_list(senders_).push_back(n);
      }
    }
    if (n.who.record == nullptr) {
      ops_.grow(*this);
      lock();
      continue;
    }
    const wake_reason why = suspend_until_woken(n.who, deadline);
    if (why == wake_reason::notified) {
      if (n.outcome == channel_outcome::handed) [[likely]]
        return channel_status::done;
      lock();
      has_aged = true;
      continue;
    }
    lock();
    wait_list(senders_).unlink(n);
    unlock();
    if (why == wake_reason::cancelled) throw_cancelled();
    return channel_status::timed_out;
  }
}

channel_status channel_core::receive_slow(void* place, std::int64_t deadline) {
  if (run_left_ != 0) {
    --run_left_;
  } else if (deadline > 0) {
    take_turn();
  }
  for (bool has_aged = false;;) {
    channel_node n;
    {
      channel_section section(*this);
      const channel_status found = accept(place, section);
      if (found != channel_status::would_wait || deadline <= 0) return found;
      if (capacity_ == unlimited) section.surplus = ops_.surplus(*this);
      run_left_ = longest_run;
      n.place = place;
      n.who = begin_wait_here("channel::receive");
      has_aged ? wait_list(receivers_).push_front(n) : wait_list(receivers_).push_back(n);
    }
    const wake_reason why = suspend_until_woken(n.who, deadline);
    if (why == wake_reason::notified) {
      if (n.outcome == channel_outcome::handed) [[likely]]
        return channel_status::done;
      lock();
      has_aged = true;
      continue;
    }
    lock();
    wait_list(receivers_).unlink(n);
    unlock();
    if (why == wake_reason::cancelled) throw_cancelled();
    return channel_status::timed_out;
  }
}

channel_status channel_core::send_last(void* value) {
  lock();
  channel_section section(*this);
  const channel_status status = offer(value, section);
  if (status == channel_status::done) close_in(section);
  return status;
}

void channel_core::close_in(channel_section& section) noexcept {
  is_closed_ = true;
  limit_ = 0;
  while (section.claim_front(receivers_) != nullptr) {
  }
  while (section.claim_front(senders_) != nullptr) {
  }
}

bool channel_core::close_with(std::exception_ptr error) noexcept {
  lock();
  channel_section section(*this);
  if (is_closed_) return false;
  error_ = std::move(error);
  close_in(section);
  return true;
}

void channel_core::throw_closed(const char* call) const {
  throw channel_closed(std::string(call) + ": the channel is closed");
}

void channel_core::throw_close_error() const {
  std::exception_ptr error;
  {
    lock();
    const unlock_at_end hold{*this};
    error = error_;
  }
  std::rethrow_exception(error);
}

std::size_t channel_core::count() const noexcept {
  lock();
  const unlock_at_end hold{*this};
  return count_;
}

bool channel_core::is_closed() const noexcept {
  lock();
  const unlock_at_end hold{*this};
  return is_closed_;
}

bool channel_core::is_drained() const noexcept {
  lock();
  const unlock_at_end hold{*this};
  return is_closed_ && count_ == 0;
}

}  // namespace weft::inline v0::detail
