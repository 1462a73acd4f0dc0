// The distance that keeps two words from sharing a cache line.
#pragma once

#include <cstddef>

namespace weft::inline v0::detail {

#if defined(__APPLE__)
inline constexpr std::size_t cache_line = 128;
#else
inline constexpr std::size_t cache_line = 64;
#endif

}  // namespace weft::inline v0::detail
