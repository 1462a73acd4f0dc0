// Waiting: the one mechanism under everything that blocks.
//
// Roles: the *owner* (a fiber, or a plain thread) waits; *wakers* (notify, timeout, cancel, close, a select case) race
//   to end its wait.
// Invariant: of all wakers of one wait exactly one claims it, and only that one calls make_ready(), once.
// Protocol:
//   owner: begin_wait() opens a new epoch; register in every object, under its lock, with {record, epoch}; drop all
//     locks; finish_wait() suspends. When it returns, take each losing object's lock to unlink from it.
//   waker: lock the object; unlink the node; claim() with the epoch that the node was registered with; unlock (the last
//     touch of object and node); make_ready() (the last touch of the owner).
// A word that may outlive the wait holds (index, epoch) and never a pointer: record_at() turns the index into a record
// that is readable as long as its runtime lives, and an old epoch claims nothing.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

#include <cstddef>
#include <cstdint>

namespace weft::inline v0::detail {

enum class wake_reason : std::uint8_t { none, notified, timed_out, cancelled, closed };

// Cancellation levels: as many shields as are open. Beyond the last one nothing cancels.
inline constexpr unsigned cancel_levels = 8;
constexpr std::uint8_t cancel_level_bit(unsigned depth) noexcept {
  return depth < cancel_levels ? static_cast<std::uint8_t>(1U << depth) : std::uint8_t{0};
}

// The word of a wait: epoch << 9 | the cancellations that may end it, one bit for each level << 1 | waiting.
class wait_word {
 public:
  static constexpr std::uint64_t waiting_bit = 1;
  static constexpr unsigned epoch_shift = 9;

  // Owner only. Opens the next epoch and returns it. A cancellation at one of `levels` may end the wait.
  std::uint64_t open(std::uint8_t levels) noexcept {
    const std::uint64_t epoch = (bits_.load(relaxed) >> epoch_shift) + 1;  // Only the owner changes the epoch.
    // Pairs with load(): who sees this epoch sees the owner's identity as of this wait.
    bits_.store(epoch << epoch_shift | std::uint64_t{levels} << 1 | waiting_bit, release);
    return epoch;
  }

  // Any thread. True for exactly one caller per epoch. Relaxed: the epoch came to the caller with what was written
  // before open(), under a lock or by load(), and what the caller does next comes to the owner by make_ready().
  bool claim(std::uint64_t epoch) noexcept {
    std::uint64_t seen = bits_.load(relaxed);  // A stale value only makes the exchange below fail.
    return (seen >> epoch_shift) == epoch && (seen & waiting_bit) != 0 &&
           bits_.compare_exchange_strong(seen, epoch << epoch_shift, relaxed, relaxed);
  }

  std::uint64_t load() const noexcept { return bits_.load(acquire); }  // Pairs with open().
  static std::uint64_t epoch_of(std::uint64_t bits) noexcept { return bits >> epoch_shift; }
  // Whether a cancellation at one of `levels` may end the wait: 0 or not 0.
  static std::uint64_t is_open_to(std::uint64_t bits, std::uint8_t levels) noexcept {
    return bits & std::uint64_t{levels} << 1;
  }

  // Owner only, while nobody waits: epochs go on from `epoch`.
  void restart(std::uint64_t epoch) noexcept { bits_.store(epoch << epoch_shift, relaxed); }

 private:
  atomic<std::uint64_t> bits_{0};
};

// What a waker needs of an owner. Lives at the top of a fiber's stack, or in a plain thread's record: type-stable.
struct wait_record {
  wait_word word;
  wake_reason reason = wake_reason::none;  // Written by the claimer before make_ready(), read by the owner after.
  bool is_thread = false;
  std::uint32_t name = 0;             // With the epoch, it names the wait for who may outlive it.
  atomic<const char*> waits_for{""};  // The call that waits, for reports.
  void* winner = nullptr;             // Whatever the claimer wants to hand over.
};

// A wait under way, as its owner holds it and as objects remember it.
struct waiter {
  wait_record* record = nullptr;
  std::uint64_t epoch = 0;
};

// For reports: finds who has to go on before a wait on `object` can end, without trusting that `object` is still there.
// Writes up to `most` identities (see sync/caller.h) and returns how many.
using owner_finder = std::size_t (*)(const void* object, std::uintptr_t* owners, std::size_t most) noexcept;

// Owner, in the slow path of a wait that has just begun. What is waited for, for reports.
void note_target(const waiter& w, const void* object, owner_finder find) noexcept;

// A place in an object's list of waiters; lives in the owner's frame.
struct wait_node {
  wait_node* next = nullptr;
  wait_node* previous = nullptr;
  waiter who;
};

// Waker. True if the wait is ours to end: make_ready() must follow, once every lock is dropped.
inline bool claim(const waiter& w, wake_reason why) noexcept {
  if (!w.record->word.claim(w.epoch)) return false;
  w.record->reason = why;
  return true;
}

// The claimer's last step. `record` may be reused at once: do not touch it afterwards.
void make_ready(wait_record& record) noexcept;

// Owner. Begins a wait by the calling fiber or plain thread. A cancellable wait of a fiber ends with
// wake_reason::cancelled when the fiber, or a scope that it is in, is cancelled outside of all shields and unwinding.
waiter begin_wait(bool cancellable = true, const char* call = "a wait") noexcept;

// Owner, registered everywhere. Suspends the fiber, or blocks the plain thread, until claimed; `deadline` in
// monotonic nanoseconds, `never` for none.
wake_reason finish_wait(const waiter& w, std::int64_t deadline) noexcept;

// Owner, registered nowhere (any more). Ends the wait without suspending; if somebody claimed it meanwhile,
// absorbs that wake. Returns the reason, or none.
wake_reason retract_wait(const waiter& w) noexcept;

// True where the next cancellable wait of the calling fiber would end at once.
WEFT_API bool cancel_pending() noexcept;

}  // namespace weft::inline v0::detail
