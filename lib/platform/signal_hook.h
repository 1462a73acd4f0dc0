// Signals that weft looks at before, or besides, whoever else handles them in the process.
//
// The handler that was there before is called after weft's hook. A program that installs its own afterwards and calls
// the one that it replaced goes on to weft's; the last unhook_signal() gives the signal back unless somebody has
// installed another handler in between.
#pragma once

#include <csignal>
#include <cstdint>

namespace weft::inline v0::detail {

// What a hook learns. Unknown parts are null.
struct signal_event {
  int number = 0;
  bool is_sent = false;         // By a program, not by a fault.
  const void* fault = nullptr;  // The address that faulted.
  const void* pc = nullptr;     // Where the interrupted code was.
  const void* sp = nullptr;
};

// Runs in the handler, on the thread's alternate stack where it has one: it may do only what a handler may.
using signal_hook = void (*)(const signal_event&) noexcept;

// Calls `hook` whenever signal `number` comes, until the matching unhook_signal(). Counted: all who hook a number at once
// pass the same hook. After the hook of a fault comes its handler from before or, where there was none, the end of the
// process by that signal; without a handler from before, any other signal ends with its hook.
// Requires: `number` is from 1 up, and below signal_count. Returns: 0, or the errno value of sigaction.
int hook_signal(int number, signal_hook hook) noexcept;
void unhook_signal(int number) noexcept;

// The signals of a touch of forbidden memory.
extern const int memory_faults[2];

// Sent to a worker to ask where it is. Nobody means anything by it: its default is to be ignored.
extern const int where_signal;

inline constexpr int signal_count = 65;  // Numbers below it.

// Returns: the code that handles signal `number` on the stack that it interrupts, or null where there is none such.
const void* handler_without_stack(int number) noexcept;

// While it lives, the calling thread has an alternate stack for its handlers, unless it had one before.
class alternate_stack {
 public:
  explicit alternate_stack(bool is_wanted) noexcept;
  ~alternate_stack();
  alternate_stack(const alternate_stack&) = delete;
  alternate_stack& operator=(const alternate_stack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace weft::inline v0::detail
