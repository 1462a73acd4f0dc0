// Sleeping on a 32-bit word, within the process: the channel by which parked workers and plain threads are woken.
//
// Ordering: neither call orders memory by itself beyond the comparison of the word; the protocols above bring their own
//   fences.
#pragma once

#include <cstdint>

#include <weft/detail/atomic.h>

namespace weft::inline v0::detail {

// Sleeps while `word` holds `expected`, until a futex_wake() on it or until `deadline` (monotonic
// nanoseconds, `never` for none). The comparison and falling asleep are one step for futex_wake().
// Returns: 0 when woken, when the word differed, or for no reason at all (look again); ETIMEDOUT when `deadline` has
//   passed.
// Blocks: thread.
int futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept;

// Wakes at most `count` threads that sleep on `word`; INT_MAX for all.
// Returns: how many it woke.
// Blocks: never.
// Lifetime: touches only the address of `word`, never the word: it may be gone already.
int futex_wake(const atomic<std::uint32_t>& word, int count) noexcept;

}  // namespace weft::inline v0::detail
