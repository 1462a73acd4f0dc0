// How long to look away from a lock that is held.
#pragma once

#include "platform/thread.h"

#include <weft/detail/atomic.h>

#include <algorithm>

namespace weft::inline v0::detail {

// Longer each time, then the CPU is offered to others, for the holder may want it. Looking away matters more than looking:
// each look takes the cache line from the holder, whereas one that is left alone does dozens of short sections meanwhile.
class backoff {
 public:
  // Blocks: thread.
  void wait() noexcept {
    for (unsigned i = 0; i < pauses_; ++i) spin_pause();
    if (pauses_ == most) yield_thread();
    pauses_ = std::min(2 * pauses_, most);
  }

 private:
  // Pauses, of ten to forty nanoseconds.
  static constexpr unsigned fewest = 32;
  static constexpr unsigned most = 256;

  unsigned pauses_ = fewest;
};

}  // namespace weft::inline v0::detail
