// The chaos build: perturbs scheduling at random, by seed, so that rare interleavings become common. In other
// builds every function here is empty.
//
// What it does, besides the points below: each ready fiber that may migrate goes to another core than the one it ran
//   on, an un-started one often starts elsewhere; run queues and batches of events are out of order; a weak
//   compare-and-swap fails now and then (weft/detail/chaos_atomic.h); wakes come late.
// Seeds: WEFT_CHAOS_SEED, else the clock, printed once, so that a failing run can be repeated with the same pressure.
#pragma once

#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

#ifdef WEFT_CHAOS
// A place where another thread may come in between: now and then gives up the CPU or burns some time.
void chaos_point() noexcept;
// True about once in `one_in` calls.
bool chaos_says(std::uint32_t one_in) noexcept;
// A number in [0, bound). Requires: bound > 0.
std::uint32_t chaos_below(std::uint32_t bound) noexcept;
// Before somebody is woken: now and then sleeps for up to 100 us.
void chaos_delay() noexcept;
#else
WEFT_ALWAYS_INLINE void chaos_point() noexcept {}
WEFT_ALWAYS_INLINE bool chaos_says(std::uint32_t) noexcept { return false; }
WEFT_ALWAYS_INLINE std::uint32_t chaos_below(std::uint32_t) noexcept { return 0; }
WEFT_ALWAYS_INLINE void chaos_delay() noexcept {}
#endif

}  // namespace weft::inline v0::detail
