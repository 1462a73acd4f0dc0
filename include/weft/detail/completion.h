// An event that happens once, with any number of waiters and callbacks: the end of a fiber, the result of a future.
//
// Roles: one *finisher*; any number of *waiters*; callbacks, which stand in the list among the waiters.
// Invariant: a node is in the list only while the word is its list's, and nobody else works on it.
// Protocol: the word is 0 (open, nobody waits), done, finishing, or the first node's address, with a lock bit while the
//   list is worked on. The finisher turns a list into `finishing`, claims every node, stores done (its last touch of
//   the object), and only then makes the claimed owners ready and runs the callbacks, in order of registration. Whoever
//   saw done() may destroy the object.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

struct wait_node;

class WEFT_API completion {
 public:
  struct already_done {};
  completion() = default;
  explicit completion(already_done) noexcept : word_(done_word) {}

  // Begins a new event in the same place, where others may look at it at any time: it is not constructed anew.
  void restart() noexcept { word_.store(0, relaxed); }

  // Pairs with finish(): what the finisher did is visible.
  bool done() const noexcept { return word_.load(acquire) == done_word; }

  // Whether nobody waits and no callback is registered, so far.
  bool is_unwatched() const noexcept { return word_.load(relaxed) == 0; }

  // For reports: a wait_node that was the first in the list a moment ago, or null.
  const void* first_node() const noexcept {
    const std::uintptr_t word = word_.load(relaxed);
    return (word & ~lock_bit) > done_word ? reinterpret_cast<const void*>(word & ~lock_bit) : nullptr;
  }

  // False if it is done already, or about to be: then `n` is not registered.
  bool add(wait_node& n) noexcept {
    std::uintptr_t open = 0;
    // Release: the node and its epoch, for the finisher.
    return word_.compare_exchange_strong(open, reinterpret_cast<std::uintptr_t>(&n), release, relaxed) || add_slow(n);
  }

  // Returns once `n` is out of the list, whoever took it out.
  void remove(wait_node& n) noexcept;

  // Where add() has said false: waits out the finisher, who is about to say that it is done.
  void wait_out_finisher() const noexcept;

  // Drops the callbacks of an event that never happens. Requires: nobody waits or uses it at the same time.
  void discard() noexcept;

  void finish() noexcept {
    std::uintptr_t seen = word_.load(relaxed);  // Checked by the exchange.
    // Release: publishes the result to done().
    if (seen != 0 || !word_.compare_exchange_strong(seen, done_word, release, relaxed)) finish_and_wake();
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
