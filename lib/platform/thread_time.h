// What another thread of the process is doing, by the kernel's number of it.
#pragma once

#include <cstdint>

namespace weft::inline v0::detail {

// Returns: how long it has run, in nanoseconds; 0 where that is not known.
std::int64_t thread_time(std::int32_t thread) noexcept;

// Returns: whether it sleeps in a system call at this moment; false where that is not known.
bool thread_sleeps(std::int32_t thread) noexcept;

// Sends it a signal. Nothing happens where threads have no numbers, or when it has ended.
void signal_thread(std::int32_t thread, int number) noexcept;

}  // namespace weft::inline v0::detail
