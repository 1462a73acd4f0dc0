// What is said when a fiber needs more stack than it has.
#pragma once

#include "base/fixed_text.h"
#include "platform/symbols.h"

namespace weft::inline v0::detail {

class fiber_record;

// While one lives, a fiber of this process that runs into the guard of its stack is named on the standard error stream
// before the process ends by the signal. Other faults, and other handlers, go on as without it.
class overflow_watch {
 public:
  explicit overflow_watch(bool is_wanted) noexcept;
  ~overflow_watch();
  overflow_watch(const overflow_watch&) = delete;
  overflow_watch& operator=(const overflow_watch&) = delete;

 private:
  const bool is_wanted_;
};

// `fiber 7 "reader", spawned at server.cpp:40`. Async-signal-safe.
void write_fiber(fixed_text& to, const fiber_record& f) noexcept;

}  // namespace weft::inline v0::detail
