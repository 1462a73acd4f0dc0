// Roles: a *source*, whoever publishes or closes; *readers*, each at a place of its own.
// Invariant, under the lock: a reader waits only while it has read the newest value and the source is open.
// Protocol: publish: lock; put the value in place of the oldest; claim every waiter; unlock, the last touch of the object;
//   make them ready; destroy what was replaced. Nothing is handed over: a woken reader looks again.
#include <weft/detail/sequence_core.h>

#include "scheduler/cancellation.h"
#include "scheduler/wait_list.h"
#include "sync/misuse.h"
#include "sync/suspend_until.h"
#include "sync/wake_chain.h"

#include <weft/broadcast.h>
#include <weft/this_fiber.h>

#include <mutex>
#include <stdexcept>
#include <string>

namespace weft::inline v0::detail {

sequence_core::sequence_core(std::size_t kept, bool skips, const char* name) : skips_(skips), name_(name) {
  if (kept == 0) throw std::invalid_argument(std::string(name) + ": a capacity of 0 keeps no value");
  values_.resize(kept);
}

sequence_core::~sequence_core() {
  const std::scoped_lock hold(lock_);
  if (waiters_.first != nullptr) {
    end_for_misuse("weft::~broadcast, weft::~watch: one is destroyed while it is waited for");
  }
}

void sequence_core::wake_all_and_unlock() noexcept {
  wake_chain woken;
  wait_list list(waiters_);
  while (wait_node* const n = list.claim_front(wake_reason::notified)) {
    n->who.record->winner = nullptr;
    woken.add(*n);
  }
  lock_.unlock();
  woken.wake();
}

bool sequence_core::publish(shared_value value) noexcept {
  lock_.lock();
  if (is_closed_) {
    lock_.unlock();
    return false;
  }
  values_[last_ % values_.size()].swap(value);
  ++last_;
  wake_all_and_unlock();
  return true;
}

bool sequence_core::close(std::exception_ptr error) noexcept {
  lock_.lock();
  if (is_closed_) {
    lock_.unlock();
    return false;
  }
  is_closed_ = true;
  error_ = std::move(error);
  wake_all_and_unlock();
  return true;
}

bool sequence_core::is_closed() const noexcept {
  const std::scoped_lock hold(lock_);
  return is_closed_;
}

shared_value sequence_core::newest() const noexcept {
  const std::scoped_lock hold(lock_);
  return last_ != 0 ? values_[(last_ - 1) % values_.size()] : nullptr;
}

std::uint64_t sequence_core::newest_number() const noexcept {
  const std::scoped_lock hold(lock_);
  return last_;
}

// Under the source's lock, which it keeps; a reader that lags drops it and throws.
sequence_status sequence_reader::look(shared_value& place) {
  sequence_core& source = *source_;
  if (seen_ == source.last_) return source.is_closed_ ? sequence_status::closed : sequence_status::nothing_new;
  const std::size_t kept = source.values_.size();
  const std::uint64_t missed = source.last_ - seen_ > kept ? source.last_ - seen_ - kept : 0;
  if (missed != 0) {
    seen_ += missed;
    if (!source.skips_) {
      source.lock_.unlock();
      throw_lagged(missed);
    }
  }
  place = source.values_[seen_ % kept];
  found_ = seen_ + 1;
  return sequence_status::news;
}

WEFT_COLD void sequence_reader::take_turn() {
  run_left_ = longest_run;
  if (current_fiber() != nullptr) this_fiber::yield();
}

shared_value sequence_reader::next(std::int64_t deadline) {
  if (deadline > 0 && --run_left_ == 0) take_turn();
  sequence_core& source = *source_;
  for (;;) {
    shared_value value;
    wait_node n;
    source.lock_.lock();
    const sequence_status found = look(value);
    if (found != sequence_status::nothing_new || deadline <= 0) {
      source.lock_.unlock();
      if (found == sequence_status::closed) throw_close_error();
      return value;
    }
    n.who = begin_wait_here("a broadcast or watch");
    wait_list(source.waiters_).push_back(n);
    source.lock_.unlock();
    const wake_reason why = suspend_until_woken(n.who, deadline);
    if (why == wake_reason::notified) continue;
    {
      const std::scoped_lock hold(source.lock_);
      wait_list(source.waiters_).unlink(n);
    }
    if (why == wake_reason::cancelled) throw_cancelled();
    return nullptr;
  }
}

bool sequence_reader::is_drained() const noexcept {
  const std::scoped_lock hold(source_->lock_);
  return source_->is_closed_ && seen_ == source_->last_;
}

void sequence_reader::throw_close_error() const {
  std::exception_ptr error;
  {
    const std::scoped_lock hold(source_->lock_);
    error = source_->error_;
  }
  if (error != nullptr) std::rethrow_exception(error);
}

void sequence_reader::throw_lagged(std::uint64_t missed) const {
  throw lagged(std::string(source_->name_) + ": the reader lags, " + std::to_string(missed) + " values are gone",
               missed);
}

}  // namespace weft::inline v0::detail
