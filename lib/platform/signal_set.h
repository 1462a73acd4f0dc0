// Which signals weft's threads never take, and keeping signals from a thread.
#pragma once

#include <signal.h>

#include <span>

namespace weft::inline v0::detail {

// All signals but those that a thread raises by itself, and the profiler's. A native_thread blocks them.
sigset_t asynchronous_signals() noexcept;

// Keeps `set` from the calling thread and from those that it starts.
void block_signals(const sigset_t& set) noexcept;

// Puts `numbers` into `set`. False for none, and where one of them is no signal or is not blocked by a native_thread.
bool set_of_asynchronous(std::span<const int> numbers, sigset_t& set) noexcept;

#ifdef __linux__
// Takes back a signal that the calling thread has been sent and blocks, if there is one.
void drop_pending(int number) noexcept;
#endif

// Whether threads of weft block it: then no handler of it runs on a fiber's stack.
bool is_blocked_on_workers(int number) noexcept;

}  // namespace weft::inline v0::detail
