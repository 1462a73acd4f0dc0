// Which signals weft's threads never take, and keeping signals from a thread.
#pragma once

#include <signal.h>

#include <span>

namespace weft::inline v0::detail {

// Keeps `set` from the calling thread and from those that it starts.
void block_signals(const sigset_t& set) noexcept;

// Puts `numbers` into `set`. False for none, and where one of them is no signal or is not blocked by a native_thread.
bool set_of_asynchronous(std::span<const int> numbers, sigset_t& set) noexcept;

}  // namespace weft::inline v0::detail
