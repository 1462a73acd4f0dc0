// Roles: *owner*, *waiters*, *comers* (not yet waiting), at most one *woken* waiter that is on its way.
// Word: the owner's identity, or 0 when free | waited (the list is not empty) | listing (somebody works on the list) |
//   waking (somebody is woken and has not looked yet).
// Invariant: a waiter enters the list only while there is an owner, in the same compare-and-swap that takes the list
//   lock. Who unlocks while `waited` is set without `waking` wakes one; with `waking`, the woken one will: it becomes the
//   owner, or waits again while there is one, or passes the wake on, and clears `waking` in the same step. So nobody waits
//   in a free mutex without somebody on its way, and a crowd of waiters is not woken by each unlock.
//   A waiter that was woken and overtaken often enough has aged: the next unlock makes it the owner.
// Protocol of unlock: take the list lock; unlink and claim the first; one store frees the mutex, or makes the aged one
//   its owner, and drops the list lock with it; make the claimed one ready. Between store and make_ready nothing of the
//   mutex is touched: the new owner may have destroyed it.
#include <weft/mutex.h>

#include "platform/backoff.h"
#include "platform/memory_reader.h"
#include "scheduler/cancellation.h"
#include "scheduler/no_suspend.h"
#include "scheduler/scheduler.h"
#include "scheduler/wait_list.h"
#include "sync/caller.h"
#include "sync/misuse.h"

#include <weft/detail/spend_operation.h>

#include <system_error>

namespace weft::inline v0 {

struct detail::mutex_waiter : detail::wait_node {
  std::uintptr_t me = 0;
  int overtaken = 0;
  bool is_woken = false;
  bool is_owner = false;  // Set by the unlocker that hands over.
};

namespace {

using detail::acquire;
using detail::relaxed;
using detail::release;

constexpr std::uintptr_t listing = 1;
constexpr std::uintptr_t waited = 2;
constexpr std::uintptr_t waking = 4;
constexpr std::uintptr_t marks = listing | waited | waking;

// Times that a waiter is woken and overtaken.
#ifdef WEFT_MODEL_CHECK  // What comes of it needs fewer steps.
constexpr int patience = 1;
#else
constexpr int patience = 4;
#endif

constexpr std::uintptr_t owner_of(std::uintptr_t word) noexcept { return word & ~marks; }

// The owner may be running on another core, and be done sooner than this fiber could be put aside. The owner itself cannot
// be asked: it may be of another runtime, whose memory may go. On this core it would be ready, or wait; so where nobody is
// ready, what counts is whether looking on paid lately.
void look_on(const detail::atomic<std::uintptr_t>& word) noexcept {
  detail::core* const c = detail::here();
  if (c == nullptr || c->current == nullptr) return;
  const detail::scheduler& s = c->owner;
  if (!s.may_spin || s.idle.parked() + 1 >= s.cores.size() || c->has_ready() || !c->looking_on.may_pay()) return;
  for (int pauses = 8; pauses <= 64; pauses *= 2) {  // Up to 1 or 2 us in all.
    for (int i = 0; i < pauses; ++i) detail::spin_pause();
    if (owner_of(word.load(relaxed)) != 0) continue;
    c->looking_on.paid();
    return;
  }
  c->looking_on.was_in_vain();
}

}  // namespace

mutex::~mutex() {
  if (word_.load(relaxed) != 0) detail::end_for_misuse("weft::~mutex: a mutex is destroyed while it is locked");
}

bool mutex::is_mine() const noexcept { return owner_of(word_.load(relaxed)) == detail::caller_identity(); }

void mutex::check_not_mine(std::uintptr_t me) const {
  if (owner_of(word_.load(relaxed)) != me) return;
  throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                          "weft::mutex::lock: the caller owns it already");
}

WEFT_NOINLINE void mutex::lock_contended() {
  if (detail::core* const c = detail::here(); c != nullptr && c->operations_left == 0) {
    c->operations_left = detail::core::operations_per_turn;
    if (owner_of(word_.load(relaxed)) == 0) detail::give_turn();  // As spend_operation().
  }
  const std::uintptr_t me = detail::caller_identity();
  std::uintptr_t unlocked = 0;
  if (word_.compare_exchange_strong(unlocked, me, acquire, relaxed)) return;  // Pairs with unlock().
  check_not_mine(me);
  if (lock_slow(me, detail::never, true) == lock_result::cancelled) detail::throw_cancelled("mutex::lock");
}

bool mutex::try_lock() noexcept {
  const std::uintptr_t me = detail::fiber_identity();
  std::uintptr_t unlocked = 0;
  // Pairs with unlock().
  if (me != 0 && word_.compare_exchange_strong(unlocked, me, acquire, relaxed)) [[likely]]
    return true;
  return try_lock_contended();
}

WEFT_NOINLINE bool mutex::try_lock_contended() noexcept {
  std::uintptr_t seen = word_.load(relaxed);
  while (owner_of(seen) == 0) {
    // Keeps the marks, as lock_slow() does. Pairs with unlock().
    if (word_.compare_exchange_weak(seen, seen | detail::caller_identity(), acquire, relaxed)) return true;
  }
  return false;
}

bool mutex::try_lock_until(deadline moment) {
  detail::spend_operation([this] { return owner_of(word_.load(relaxed)) == 0; });
  if (try_lock()) return true;
  const std::uintptr_t me = detail::caller_identity();
  check_not_mine(me);
  if (moment.nanoseconds() <= 0) return false;
  const lock_result result = lock_slow(me, moment.nanoseconds(), true);
  if (result == lock_result::cancelled) detail::throw_cancelled("mutex::try_lock_until");
  return result == lock_result::locked;
}

WEFT_NOINLINE void mutex::unlock_contended() {
  const std::uintptr_t me = detail::caller_identity();
  std::uintptr_t seen = word_.load(relaxed);
  do {
    if (owner_of(seen) != me) {
      throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                              "weft::mutex::unlock: the caller does not own it");
    }
    if ((seen & (waited | waking)) == waited) {
      unlock_slow();
      return;
    }
  } while (!word_.compare_exchange_weak(seen, seen & marks, release, relaxed));  // Pairs with lock() and try_lock().
}

// Takes the list lock, whoever owns the mutex.
void mutex::lock_list() noexcept {
  for (detail::backoff pause;; pause.wait()) {
    std::uintptr_t seen = word_.load(relaxed);
    if ((seen & listing) == 0 && word_.compare_exchange_weak(seen, seen | listing, acquire, relaxed)) return;
  }
}

void mutex::unlock_slow() noexcept {
  lock_list();
  detail::wait_list list(waiters_);
  auto* const first = static_cast<detail::mutex_waiter*>(list.claim_front(detail::wake_reason::notified));
  std::uintptr_t next = list.empty() ? 0 : waited;
  if (first != nullptr) {
    first->is_owner = first->overtaken >= patience;
    next |= first->is_owner ? first->me : waking;
  }
  // We own the mutex and its list: nobody else writes the word. Release: pairs with lock() and with the woken waiter.
  word_.store(next, release);
  if (first != nullptr) make_ready(*first->who.record);
}

// A woken waiter that no longer wants the mutex: the next one is woken in its place.
void mutex::pass_wake_on() noexcept {
  lock_list();
  detail::wait_list list(waiters_);
  detail::wait_node* const first = list.claim_front(detail::wake_reason::notified);
  const std::uintptr_t done = listing | (list.empty() ? waited : 0) | (first == nullptr ? waking : 0);
  word_.fetch_and(~done, release);  // Pairs with the next to work on the list.
  if (first != nullptr) make_ready(*first->who.record);
}

mutex::lock_result mutex::lock_slow(std::uintptr_t me, std::int64_t limit, bool cancellable) noexcept {
  detail::check_may_wait("waits in weft::mutex::lock");
  detail::mutex_waiter n;
  n.me = me;
  detail::backoff pause;
  look_on(word_);
  for (;;) {
    std::uintptr_t seen = word_.load(relaxed);
    const std::uintptr_t kept = n.is_woken ? seen & ~waking : seen;
    if (owner_of(seen) == 0) {
      // Keeps `waited`, and `listing`: who works on the list then leaves the owner alone.
      if (word_.compare_exchange_weak(seen, kept | me, acquire, relaxed)) return lock_result::locked;
      continue;
    }
    if ((seen & listing) != 0) {
      pause.wait();
      continue;
    }
    n.who = detail::begin_wait(cancellable, "mutex::lock");
    if (!word_.compare_exchange_strong(seen, kept | waited | listing, acquire, relaxed)) {
      if (detail::retract_wait(n.who) != detail::wake_reason::cancelled) continue;
      if (n.is_woken) pass_wake_on();
      return lock_result::cancelled;
    }
    const detail::wake_reason why = wait_in_list(n, limit);
    if (why != detail::wake_reason::notified) {
      return why == detail::wake_reason::timed_out ? lock_result::timed_out : lock_result::cancelled;
    }
    if (n.is_owner) {
      word_.load(acquire);  // Pairs with unlock_slow().
      return lock_result::locked;
    }
    n.is_woken = true;
    ++n.overtaken;
    look_on(word_);
  }
}

// Requires: the list lock is ours, and the mutex is owned. Afterwards `n` is not in the list.
detail::wake_reason mutex::wait_in_list(detail::mutex_waiter& n, std::int64_t limit) noexcept {
  detail::wait_list list(waiters_);
  n.is_woken = false;
  n.overtaken != 0 ? list.push_front(n) : list.push_back(n);
  word_.fetch_and(~listing, release);  // Pairs with the next to work on the list.
  detail::note_target(n.who, this, [](const void* object, std::uintptr_t* owners, std::size_t) noexcept {
    std::uintptr_t word = 0;
    if (!detail::read_memory(&static_cast<const mutex*>(object)->word_, &word, sizeof word)) return std::size_t{0};
    owners[0] = owner_of(word);
    return std::size_t{owners[0] != 0};
  });
  const detail::wake_reason why = detail::finish_wait(n.who, limit);
  if (why != detail::wake_reason::notified) {
    lock_list();
    list.unlink(n);
    word_.fetch_and(list.empty() ? ~(waited | listing) : ~listing, release);
  }
  return why;
}

// For a condition variable: it must come back with the lock, whatever happened.
void mutex::relock_shielded() noexcept {
  const std::uintptr_t me = detail::caller_identity();
  std::uintptr_t unlocked = 0;
  if (!word_.compare_exchange_strong(unlocked, me, acquire, relaxed)) lock_slow(me, detail::never, false);
}

}  // namespace weft::inline v0
