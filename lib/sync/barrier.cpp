// A phase: `pending_` counts down; at zero the last that arrived runs the step without the lock, and open() ends the
// phase. Invariant: nobody is in line but for the phase under way.
#include <weft/barrier.h>

#include "scheduler/list_lock.h"
#include "sync/misuse.h"
#include "sync/wait_on.h"

namespace weft::inline v0::detail {

namespace {

[[noreturn]] void refuse_broken(const char* call) {
  throw broken_barrier(std::string(call) + ": the barrier is broken");
}

}  // namespace

barrier_state::barrier_state(std::size_t expected) : expected_(expected), pending_(expected) {
  if (expected > max) {
    refuse(std::errc::invalid_argument,
           "weft::barrier: a crew of " + std::to_string(expected) + ", at most " + std::to_string(max) + " can be");
  }
}

barrier_state::~barrier_state() {
  const list_lock hold(lock_);
  if (waiters_.first != nullptr) end_for_misuse("weft::~barrier: a barrier is destroyed while it is waited for");
}

barrier_state::arrived barrier_state::arrive(std::size_t n, const char* call) {
  std::size_t left = 0;
  bool was_broken = false;
  {
    const list_lock hold(lock_);
    left = pending_;
    was_broken = is_broken_;
    if (!was_broken && n <= left) {
      pending_ -= n;
      return {phase_, n > 0 && pending_ == 0};
    }
  }
  if (was_broken) refuse_broken(call);
  refuse(std::errc::invalid_argument, std::string(call) + ": " + std::to_string(n) + " arrive, but only " +
                                          std::to_string(left) + " are still expected");
}

barrier_state::arrived barrier_state::drop() {
  {
    const list_lock hold(lock_);
    if (is_broken_ && expected_ > 0) {
      --expected_;
      if (pending_ > 0) --pending_;
      return {phase_, false};
    }
    if (pending_ > 0) {
      --expected_;
      return {phase_, --pending_ == 0};
    }
  }
  refuse(std::errc::invalid_argument, "weft::barrier::arrive_and_drop: nobody is expected any more");
}

// Under the lock, of a phase that is over.
bool barrier_state::was_whole(std::uint64_t phase) const noexcept {
  return phase < broken_from_ || phase >= broken_before_;
}

// Under the lock.
void barrier_state::close_phase(bool is_whole) noexcept {
  if (!is_whole) {
    if (broken_before_ != phase_) broken_from_ = phase_;
    broken_before_ = phase_ + 1;
  }
  ++phase_;
  pending_ = expected_;
}

void barrier_state::open(std::uint64_t phase, const char* call) {
  woken_waiters woken;
  bool is_open = false;
  {
    const list_lock hold(lock_);
    is_open = !is_broken_ && phase_ == phase;  // Somebody may have broken it during the step.
    if (is_open) {
      close_phase(true);
      claim_all(waiters_, woken);
    }
  }
  woken.make_ready();  // The barrier may be gone from here on.
  if (!is_open) refuse_broken(call);
}

bool barrier_state::wait(std::uint64_t phase, std::int64_t limit, const char* call) {
  check_may_wait("waits in weft::barrier::wait");
  wait_node n;
  n.who = begin_wait(true, "barrier::wait");
  bool is_over = true, is_whole = true;
  {
    const list_lock hold(lock_);
    if (phase_ != phase) {
      is_whole = was_whole(phase);
    } else if (is_broken_) {
      is_whole = false;
    } else {
      is_over = false;
      wait_list(waiters_).push_back(n);
    }
  }
  if (is_over) {
    retract_wait(n.who);  // A cancellation that came in between stays pending.
    if (!is_whole) refuse_broken(call);
    return true;
  }
  const wake_reason why = finish_wait(n.who, limit);
  if (why == wake_reason::notified) return true;
  if (why == wake_reason::closed) refuse_broken(call);
  woken_waiters woken;
  bool is_too_late = false;
  {
    const list_lock hold(lock_);
    wait_list(waiters_).unlink(n);
    is_too_late = phase_ != phase;
    if (!is_too_late) {
      is_broken_ = true;
      claim_all(waiters_, woken, wake_reason::closed);
    } else {
      is_whole = was_whole(phase);
    }
  }
  woken.make_ready();
  if (why == wake_reason::cancelled) throw_cancelled();
  if (!is_whole) refuse_broken(call);
  return is_too_late;  // All came after all, in the last moment.
}

void barrier_state::abort() noexcept {
  woken_waiters woken;
  {
    const list_lock hold(lock_);
    is_broken_ = true;
    claim_all(waiters_, woken, wake_reason::closed);
  }
  woken.make_ready();
}

void barrier_state::reset() noexcept {
  woken_waiters woken;
  {
    const list_lock hold(lock_);
    close_phase(false);
    is_broken_ = false;
    claim_all(waiters_, woken, wake_reason::closed);
  }
  woken.make_ready();
}

bool barrier_state::is_broken() const noexcept {
  const list_lock hold(lock_);
  return is_broken_;
}

std::size_t barrier_state::expected() const noexcept {
  const list_lock hold(lock_);
  return expected_;
}

std::size_t barrier_state::pending() const noexcept {
  const list_lock hold(lock_);
  return pending_;
}

}  // namespace weft::inline v0::detail
