// Signals as a descriptor: one that is readable while a signal of a set is pending for the process.
#pragma once

#include <cstdint>
#include <span>

namespace weft::inline v0::detail {

struct pending_signal {
  int number = 0;
  std::int32_t process = 0;
  std::uint32_t user = 0;
  std::int32_t value = 0;
};

// A non-blocking descriptor for `numbers`, which the calling thread blocks from now on.
// Returns: the descriptor, or -errno: EINVAL for no number, and for one that no thread of weft blocks.
int open_signal_source(std::span<const int> numbers) noexcept;

// Takes one of those that are pending. Returns: 1, or -errno (EAGAIN: none is pending).
std::int32_t take_signal(int source, pending_signal& out) noexcept;

// A thread of the process that does not block one of `numbers`.
struct open_thread {
  std::int32_t id = 0;  // 0: none is known.
  int number = 0;
};
// Throws: std::bad_alloc.
open_thread find_thread_open_to(std::span<const int> numbers);

}  // namespace weft::inline v0::detail
