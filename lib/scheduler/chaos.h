// The chaos build: perturbs scheduling at random, by seed, so that rare interleavings become common. In other
// builds every function here is empty.
//
// The seed comes from WEFT_CHAOS_SEED, else from the clock, and is printed once, so that a failing run can be
// repeated with the same pressure.
#pragma once

#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

#ifdef WEFT_CHAOS
// A place where another thread may come in between: now and then gives up the CPU or burns some time.
void chaos_point() noexcept;
// True about once in `one_in` calls.
bool chaos_says(std::uint32_t one_in) noexcept;
#else
WEFT_ALWAYS_INLINE void chaos_point() noexcept {}
WEFT_ALWAYS_INLINE bool chaos_says(std::uint32_t) noexcept { return false; }
#endif

}  // namespace weft::inline v0::detail
