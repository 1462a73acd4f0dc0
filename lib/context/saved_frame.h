// Where a context that was left goes on, read out of what its switch saved.
#pragma once

#include "context/switch.h"

#include <cstddef>
#include <cstdint>

namespace weft::inline v0::detail {

// Offsets from the saved context, in bytes.
struct saved_layout {
  std::size_t pc;
  std::size_t frame_pointer;
  std::size_t stack_pointer;  // Not read there: the stack pointer once it goes on is the context plus this.
};

#if defined(WEFT_CONTEXT_NATIVE) && defined(__x86_64__)
inline constexpr saved_layout saved_context_layout{0, 8, 16 + 128};
#elif defined(WEFT_CONTEXT_NATIVE) && defined(__aarch64__)
inline constexpr saved_layout saved_context_layout{8, 0, 16 + 128};
#elif defined(__x86_64__)
inline constexpr saved_layout saved_context_layout{0x38, 0x30, 0x40};
#elif defined(__aarch64__)
inline constexpr saved_layout saved_context_layout{0xa0, 0x90, 0xb0};
#else
inline constexpr saved_layout saved_context_layout{0, 0, 0};  // Unknown: no backtraces.
#endif

inline constexpr bool knows_saved_context = saved_context_layout.stack_pointer != 0;

}  // namespace weft::inline v0::detail
