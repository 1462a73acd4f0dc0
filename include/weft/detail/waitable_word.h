// The state of an object that is waited for, the lock of its list of waiters, and whether that list holds anybody: one
// word, so that the store that changes the state drops the lock with it and is the last touch of the object.
//
// Roles: *comers*, who change the state without the lock; the *holder* of the lock, who may also change the list.
// Invariant: while the lock mark is set only the holder writes the word; `waited` is set exactly while the list holds
//   somebody, as seen by whoever does not hold the lock.
// Protocol: a comer exchanges a word without lock mark; where waiters would have to be served, it takes the lock. The
//   holder ends with unlock(); what it claimed it makes ready after that.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

class waitable_word {
 public:
  static constexpr std::uint64_t locked = 1;
  static constexpr std::uint64_t waited = 2;
  static constexpr std::uint64_t marks = locked | waited;
  static constexpr std::uint64_t unit = 4;  // The lowest bit of the state.

  constexpr explicit waitable_word(std::uint64_t state = 0) noexcept : bits_(state) {}

  std::uint64_t load(memory_order order) const noexcept { return bits_.load(order); }

  // Comers. Requires: `from` has no lock mark, and `to` neither. Acquire pairs with unlock() and with the comer that
  // changed the word before; release with those that come after.
  bool change(std::uint64_t& from, std::uint64_t to) noexcept {
    return bits_.compare_exchange_weak(from, to, acq_rel, relaxed);
  }

  // Returns the word as it was, without lock mark.
  // Blocks: thread, for a few instructions.
  std::uint64_t lock() noexcept {
    std::uint64_t seen = bits_.load(relaxed);
    // Pairs with unlock().
    if ((seen & locked) == 0 && bits_.compare_exchange_weak(seen, seen | locked, acquire, relaxed)) return seen;
    return lock_contended();
  }

  // Holder. Requires: `bits` has no lock mark. The last touch of the object.
  void unlock(std::uint64_t bits) noexcept { bits_.store(bits, release); }  // Pairs with lock() and change().

 private:
  WEFT_API std::uint64_t lock_contended() noexcept;

  atomic<std::uint64_t> bits_;
};

}  // namespace weft::inline v0::detail
