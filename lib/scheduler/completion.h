// An event that happens once, with any number of waiters: the end of a fiber.
//
// Roles: one *finisher*; any number of *waiters*.
// Invariant: a node is in the list only while the word is neither done nor locked by somebody else.
// Protocol: the word is 0 (open, nobody waits), done, or the first node's address, with a lock bit while the
// list is
//   worked on. The finisher claims every node under the lock, stores done (its last touch of the object), and
//   only then makes the claimed owners ready. Whoever saw done() may destroy the object.
#pragma once

#include "scheduler/wait.h"

namespace weft::inline v0::detail {

class completion {
 public:
  // Pairs with finish(): what the finisher did is visible.
  bool done() const noexcept { return word_.load(acquire) == done_word; }

  // False if it is done already: then `n` is not registered.
  bool add(wait_node& n) noexcept;

  // Returns once `n` is out of the list, whoever took it out.
  void remove(wait_node& n) noexcept;

  void finish() noexcept {
    std::uintptr_t open = 0;
    // Release: publishes the result to done(). The usual case has no waiter.
    if (!word_.compare_exchange_strong(open, done_word, acq_rel, relaxed)) finish_and_wake();
  }

 private:
  static constexpr std::uintptr_t done_word = 1;
  static constexpr std::uintptr_t lock_bit = 2;

  // The word without its lock bit, now locked by the caller; or done_word, unlocked.
  std::uintptr_t lock() noexcept;
  void finish_and_wake() noexcept;

  atomic<std::uintptr_t> word_{0};
};

}  // namespace weft::inline v0::detail
