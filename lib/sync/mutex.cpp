// Roles: *owner*, *waiters*, *comers* (not yet waiting).
// Word: the owner's identity, or 0 when free | waited (the list is not empty) | listing (somebody works on the list).
// Invariant: a waiter enters the list only while there is an owner, in the same compare-and-swap that takes the list
//   lock; the owner sees `waited` when it unlocks, and wakes one. A waiter that was woken but overtaken has aged: the
//   next unlock makes it the owner.
// Protocol of unlock: take the list lock; unlink and claim the first; one store frees the mutex, or makes the aged one
//   its owner, and drops the list lock with it; make the claimed one ready. Between store and make_ready nothing of the
//   mutex is touched: the new owner may have destroyed it.
#include <weft/mutex.h>

#include "platform/memory_reader.h"
#include "platform/thread.h"
#include "scheduler/cancellation.h"
#include "scheduler/no_suspend.h"
#include "scheduler/scheduler.h"
#include "scheduler/wait_list.h"
#include "sync/caller.h"
#include "sync/misuse.h"

#include <weft/detail/spend_operation.h>

#include <system_error>

namespace weft::inline v0 {

namespace {

using detail::acq_rel;
using detail::acquire;
using detail::relaxed;
using detail::release;

constexpr std::uintptr_t listing = 1;
constexpr std::uintptr_t waited = 2;
constexpr std::uintptr_t marks = listing | waited;

constexpr std::uintptr_t owner_of(std::uintptr_t word) noexcept { return word & ~marks; }

struct mutex_waiter : detail::wait_node {
  std::uintptr_t me = 0;
  bool has_aged = false;
  bool is_owner = false;  // Set by the unlocker that hands over.
};

constexpr int longest_spin = 100;  // Pauses: 1 to 2 us.

// Whether the owner may be running on another core, and this one has nothing better to do than to wait for it. The owner
// itself cannot be asked: it may be of another runtime, whose memory may go. On this core it would be ready, or wait.
bool spinning_may_pay() noexcept {
  const detail::core* const c = detail::here();
  if (c == nullptr || c->current == nullptr) return false;
  const detail::scheduler& s = c->owner;
  return s.may_spin && s.idle.parked() + 1 < s.cores.size() && !c->has_own_work() && !c->has_open_work();
}

// Returns early where the lock is free, or others wait for it: they come first.
void spin_for(const detail::atomic<std::uintptr_t>& word) noexcept {
  if (!spinning_may_pay()) return;
  for (int i = 0; i < longest_spin; ++i) {
    const std::uintptr_t seen = word.load(relaxed);
    if (owner_of(seen) == 0 || (seen & waited) != 0) return;
    detail::spin_pause();
  }
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

// The fast paths end in a tail call at most, so that they need no frame. A plain thread takes the long way.
void mutex::lock() {
  detail::core* const c = detail::here();
  std::uintptr_t unlocked = 0;
  // Pairs with unlock().
  if (c != nullptr && c->current != nullptr && --c->operations_left != 0 &&
      word_.compare_exchange_strong(unlocked, c->current->identity, acquire, relaxed)) [[likely]]
    return;
  lock_contended();
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

void mutex::unlock() {
  const std::uintptr_t me = detail::fiber_identity();
  std::uintptr_t seen = me;
  // Pairs with lock() and try_lock().
  if (me != 0 && word_.compare_exchange_strong(seen, 0, release, relaxed)) [[likely]]
    return;
  unlock_contended();
}

WEFT_NOINLINE void mutex::unlock_contended() {
  const std::uintptr_t me = detail::caller_identity();
  std::uintptr_t seen = me;
  if (word_.compare_exchange_strong(seen, 0, release, relaxed)) return;  // Pairs with lock() and try_lock().
  if (owner_of(seen) != me) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::mutex::unlock: the caller does not own it");
  }
  unlock_slow();
}

// Takes the list lock, whoever owns the mutex, and returns the word before.
std::uintptr_t mutex::lock_list() noexcept {
  for (int spins = 0;; ++spins) {
    std::uintptr_t seen = word_.load(relaxed);
    if ((seen & listing) == 0 && word_.compare_exchange_weak(seen, seen | listing, acquire, relaxed)) return seen;
    if (spins < 100) {
      detail::spin_pause();
    } else {
      detail::yield_thread();
    }
  }
}

void mutex::unlock_slow() noexcept {
  lock_list();
  detail::wait_list list(waiters_);
  auto* const first = static_cast<mutex_waiter*>(list.claim_front(detail::wake_reason::notified));
  std::uintptr_t next = list.empty() ? 0 : waited;
  if (first != nullptr && first->has_aged) {
    first->is_owner = true;
    next |= first->me;
  }
  // We own the mutex and its list: nobody else writes the word. Release: pairs with lock() and with the woken waiter.
  word_.store(next, release);
  if (first != nullptr) make_ready(*first->who.record);
}

mutex::lock_result mutex::lock_slow(std::uintptr_t me, std::int64_t limit, bool cancellable) noexcept {
  detail::check_may_wait("waits in weft::mutex::lock");
  mutex_waiter n;
  n.me = me;
  spin_for(word_);
  for (int spins = 0;;) {
    std::uintptr_t seen = word_.load(relaxed);
    if (owner_of(seen) == 0) {
      // Keeps `waited`, and `listing`: who works on the list then leaves the owner alone.
      if (word_.compare_exchange_weak(seen, seen | me, acquire, relaxed)) return lock_result::locked;
      continue;
    }
    if ((seen & listing) != 0) {
      if (++spins < 100) {
        detail::spin_pause();
      } else {
        detail::yield_thread();
      }
      continue;
    }
    n.who = detail::begin_wait(cancellable, "mutex::lock");
    if (!word_.compare_exchange_strong(seen, seen | marks, acquire, relaxed)) {
      if (detail::retract_wait(n.who) == detail::wake_reason::cancelled) return lock_result::cancelled;
      continue;
    }
    detail::wait_list list(waiters_);
    n.has_aged ? list.push_front(n) : list.push_back(n);
    word_.fetch_and(~listing, release);  // Pairs with the next to work on the list.
    detail::note_target(n.who, this, [](const void* object, std::uintptr_t* owners, std::size_t) noexcept {
      std::uintptr_t word = 0;
      if (!detail::read_memory(&static_cast<const mutex*>(object)->word_, &word, sizeof word)) return std::size_t{0};
      owners[0] = owner_of(word);
      return std::size_t{owners[0] != 0};
    });
    const detail::wake_reason why = detail::finish_wait(n.who, limit);
    if (why == detail::wake_reason::notified) {
      if (n.is_owner) {
        word_.load(acquire);  // Pairs with unlock_slow().
        return lock_result::locked;
      }
      n.has_aged = true;
      continue;
    }
    lock_list();
    list.unlink(n);
    word_.fetch_and(list.empty() ? ~marks : ~listing, release);
    return why == detail::wake_reason::timed_out ? lock_result::timed_out : lock_result::cancelled;
  }
}

// For a condition variable: it must come back with the lock, whatever happened.
void mutex::relock_shielded() noexcept {
  const std::uintptr_t me = detail::caller_identity();
  std::uintptr_t unlocked = 0;
  if (!word_.compare_exchange_strong(unlocked, me, acquire, relaxed)) lock_slow(me, detail::never, false);
}

}  // namespace weft::inline v0
