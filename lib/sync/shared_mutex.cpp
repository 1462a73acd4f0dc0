// Roles: *readers*, the *writer*, whose identity is in the word, and *waiters* of both kinds in two lines.
// Invariant, whenever the lock is not held: nobody waits for a mutex that is free; readers wait only for a writer, one
//   that owns it or one that waits. So whoever leaves (an owner that unlocks, a waiter that gives up) first hands the
//   mutex on, under the lock: the woken ones own it already when they return.
#include <weft/shared_mutex.h>

#include "sync/caller.h"
#include "sync/misuse.h"
#include "sync/wait_on.h"

namespace weft::inline v0 {

using detail::wait_list;
using detail::waitable_word;
using detail::wake_reason;

namespace {

constexpr std::uint64_t writer_bit = waitable_word::unit;
constexpr std::uint64_t one_reader = 2 * waitable_word::unit;

struct writer_waiter : detail::wait_node {
  std::uint64_t me = 0;
};

std::uint64_t owner_of(std::uint64_t bits) noexcept {
  return (bits & writer_bit) != 0 ? bits & ~(writer_bit | waitable_word::marks) : 0;
}

std::uint64_t admit_readers(detail::wait_list_ends& readers, detail::woken_waiters& woken) noexcept {
  std::uint64_t admitted = 0;
  while (detail::wait_node* const n = wait_list(readers).claim_front(wake_reason::notified)) {
    woken.add(*n);
    admitted += one_reader;
  }
  return admitted;
}

// Under the lock. Hands on what may be handed on; `state` is the word without marks. `readers_first` where a writer has
// just had its turn. Returns the word to unlock with.
std::uint64_t settle(std::uint64_t state, detail::wait_list_ends& readers, detail::wait_list_ends& writers,
                     bool readers_first, detail::woken_waiters& woken) noexcept {
  if (state == 0 && readers_first) state = admit_readers(readers, woken);
  if (state == 0) {
    if (auto* const next = static_cast<writer_waiter*>(wait_list(writers).claim_front(wake_reason::notified))) {
      state = next->me | writer_bit;
      woken.add(*next);
    }
  }
  if ((state & writer_bit) == 0 && writers.first == nullptr) state += admit_readers(readers, woken);
  return readers.first != nullptr || writers.first != nullptr ? state | waitable_word::waited : state;
}

}  // namespace

shared_mutex::~shared_mutex() {
  if (word_.load(detail::relaxed) != 0) {
    detail::end_for_misuse("weft::~shared_mutex: a shared_mutex is destroyed while it is locked");
  }
}

void shared_mutex::check_not_mine(std::uint64_t me, const char* call) const {
  if (owner_of(word_.load(detail::relaxed)) != me) return;  // Only the caller itself could have written its identity.
  detail::refuse(std::errc::resource_deadlock_would_occur, std::string(call) + ": the caller has locked it as writer");
}

// --- Writers ---------------------------------------------------------------------------------------------------------

void shared_mutex::lock() {
  detail::spend_operation([this] { return word_.load(detail::relaxed) == 0; });
  const std::uint64_t me = detail::caller_identity();
  std::uint64_t seen = 0;
  if (word_.change(seen, me | writer)) return;
  lock_slow(me, detail::never);
}

bool shared_mutex::try_lock() noexcept {
  const std::uint64_t me = detail::caller_identity();
  std::uint64_t seen = 0;
  while (!word_.change(seen, me | writer)) {
    if ((seen & ~waitable_word::locked) != 0) return false;
    if (seen == 0) continue;
    const std::uint64_t bits = word_.lock();  // Free, but the lock was in the way.
    word_.unlock(bits == 0 ? me | writer : bits);
    return bits == 0;
  }
  return true;
}

bool shared_mutex::try_lock_until(deadline moment) {
  detail::spend_operation([this] { return word_.load(detail::relaxed) == 0; });
  const std::uint64_t me = detail::caller_identity();
  std::uint64_t seen = 0;
  return word_.change(seen, me | writer) || lock_slow(me, moment.nanoseconds());
}

bool shared_mutex::lock_slow(std::uint64_t me, std::int64_t limit) {
  check_not_mine(me, "weft::shared_mutex::lock");
  writer_waiter n;
  n.me = me;
  const wake_reason why = detail::wait_on(word_, writers_, n, limit, "waits in weft::shared_mutex::lock",
                                          [me](std::uint64_t& bits) noexcept {
                                            if (bits != 0) return false;
                                            bits = me | writer_bit;
                                            return true;
                                          });
  if (why != wake_reason::notified) {
    detail::woken_waiters woken;
    const std::uint64_t bits = word_.lock();
    wait_list(writers_).unlink(n);
    word_.unlock(settle(bits & ~waitable_word::waited, readers_, writers_, false, woken));
    woken.make_ready();
  }
  return detail::was_served(why);
}

void shared_mutex::unlock() {
  const std::uint64_t me = detail::caller_identity();
  std::uint64_t seen = me | writer;
  if (word_.change(seen, 0)) return;
  if (owner_of(seen) != me) {
    detail::refuse(std::errc::operation_not_permitted, "weft::shared_mutex::unlock: the caller has not locked it");
  }
  detail::woken_waiters woken;
  word_.lock();
  word_.unlock(settle(0, readers_, writers_, true, woken));
  woken.make_ready();
}

// --- Readers ---------------------------------------------------------------------------------------------------------

// The lock may have been in the way.
bool shared_mutex::try_shared_again() noexcept {
  if ((word_.load(detail::relaxed) & waitable_word::locked) == 0) return false;
  const std::uint64_t bits = word_.lock();
  const bool is_open = (bits & (writer | waitable_word::waited)) == 0;
  word_.unlock(is_open ? bits + reader : bits);
  return is_open;
}

bool shared_mutex::lock_shared_slow(std::int64_t limit) {
  check_not_mine(detail::caller_identity(), "weft::shared_mutex::lock_shared");
  detail::wait_node n;
  const wake_reason why = detail::wait_on(word_, readers_, n, limit, "waits in weft::shared_mutex::lock_shared",
                                          [](std::uint64_t& bits) noexcept {
                                            if ((bits & (writer_bit | waitable_word::waited)) != 0) return false;
                                            bits += one_reader;
                                            return true;
                                          });
  if (why != wake_reason::notified) {
    const std::uint64_t bits = word_.lock();
    wait_list(readers_).unlink(n);
    const bool is_waited = readers_.first != nullptr || writers_.first != nullptr;
    word_.unlock(is_waited ? bits : bits & ~waitable_word::waited);
  }
  return detail::was_served(why);
}

void shared_mutex::unlock_shared_slow() {
  detail::woken_waiters woken;
  const std::uint64_t bits = word_.lock();
  if ((bits & writer) != 0 || bits < reader) {
    word_.unlock(bits);
    detail::refuse(std::errc::operation_not_permitted, "weft::shared_mutex::unlock_shared: nobody holds it as reader");
  }
  const std::uint64_t left = (bits & ~waitable_word::marks) - reader;
  word_.unlock(left != 0 ? bits - reader : settle(0, readers_, writers_, false, woken));
  woken.make_ready();
}

}  // namespace weft::inline v0
