// What a pooled stack is: size classes, the index that names it, and the head at its top.
//
//   low                                                    top      head                   end of the slot
//    | guard (64 KiB, faults) | usable, grows down <--------| stack_head | colour (0-960 bytes) |
//
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::inline v0::detail {

inline constexpr std::size_t stack_class_count = 5;
inline constexpr std::size_t stack_class_bytes[stack_class_count] = {
    std::size_t{16} << 10, std::size_t{64} << 10, std::size_t{256} << 10, std::size_t{1} << 20, std::size_t{8} << 20};
inline constexpr std::uint8_t default_stack_class = 1;
inline constexpr std::size_t min_stack_bytes = stack_class_bytes[0];
inline constexpr std::size_t default_stack_bytes = stack_class_bytes[default_stack_class];
inline constexpr std::size_t max_stack_bytes = stack_class_bytes[stack_class_count - 1];
inline constexpr std::size_t stack_guard_bytes = std::size_t{64} << 10;  // A 60 KiB frame still hits it.

// A stack index that names no stack.
inline constexpr std::uint32_t no_stack = 0xffffffff;

// Returns: the smallest class of at least `bytes`, or -1 when `bytes` is below min_stack_bytes or above
//   max_stack_bytes (the caller reports both limits).
constexpr int stack_class_for(std::size_t bytes) noexcept {
  if (bytes < min_stack_bytes) return -1;
  for (std::size_t c = 0; c < stack_class_count; ++c) {
    if (bytes <= stack_class_bytes[c]) return static_cast<int>(c);
  }
  return -1;
}

// The first member or base, at offset 0, of what the scheduler keeps at the top of every pooled stack.
//
// Lifetime: the memory stays mapped until the arena set dies, whatever becomes of the stack, so a stale
//   reader reads some head of the same stack, or zeros after its pages were given back.
struct stack_head {
  std::byte* low;           // The lowest usable byte; the guard ends here.
  std::byte* top;           // The first byte above the usable range, a multiple of 64: execution starts here.
  stack_head* next;         // The pool's link; free for use by whoever took the stack.
  stack_head* next_batch;   // The depot's link; likewise.
  std::uint32_t index;      // Names this stack in its arena set for as long as the set lives.
  std::uint8_t size_class;  // In stack_class_bytes.
  std::uint8_t batch_size;  // The depot's.

  std::size_t usable_bytes() const noexcept { return static_cast<std::size_t>(top - low); }
};

}  // namespace weft::inline v0::detail
