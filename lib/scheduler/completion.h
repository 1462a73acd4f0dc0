// An event that happens once, with any number of waiters: the end of a fiber.
//
// Roles: one *finisher*; any number of *waiters*.
// Invariant: a node is in the list only while the word is its list's, and nobody else works on it.
// Protocol: the word is 0 (open, nobody waits), done, finishing, or the first node's address, with a lock bit while the
//   list is worked on. The finisher turns a list into `finishing`, claims every node, stores done (its last touch of
//   the object), and only then makes the claimed owners ready. Whoever saw done() may destroy the object.
#pragma once

#include "scheduler/wait.h"

namespace weft::inline v0::detail {

class completion {
 public:
  // Pairs with finish(): what the finisher did is visible.
  bool done() const noexcept { return word_.load(acquire) == done_word; }

  // False if it is done already, or about to be: then `n` is not registered.
  bool add(wait_node& n) noexcept {
    std::uintptr_t open = 0;
    // Release: the node and its epoch, for the finisher.
    return word_.compare_exchange_strong(open, reinterpret_cast<std::uintptr_t>(&n), acq_rel, relaxed) || add_slow(n);
  }

  // Returns once `n` is out of the list, whoever took it out.
  void remove(wait_node& n) noexcept;

  void finish() noexcept {
    std::uintptr_t seen = word_.load(relaxed);  // Checked by the exchange.
    // Release: publishes the result to done().
    if (seen != 0 || !word_.compare_exchange_strong(seen, done_word, acq_rel, relaxed)) finish_and_wake();
  }

 private:
  static constexpr std::uintptr_t done_word = 1;
  static constexpr std::uintptr_t lock_bit = 2;
  static constexpr std::uintptr_t finishing_word = done_word | lock_bit;

  // The word without its lock bit, now locked by the caller; or done_word, where it is done or finishing.
  std::uintptr_t lock() noexcept;
  bool add_slow(wait_node& n) noexcept;
  void finish_and_wake() noexcept;

  atomic<std::uintptr_t> word_{0};
};

}  // namespace weft::inline v0::detail
