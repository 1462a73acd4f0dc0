#include <weft/detail/waitable_word.h>

#include "platform/thread.h"

namespace weft::inline v0::detail {

std::uint64_t waitable_word::lock_contended() noexcept {
  for (int spins = 0;; ++spins) {
    std::uint64_t seen = bits_.load(relaxed);  // Stale only makes the exchange fail.
    // Pairs with unlock().
    if ((seen & locked) == 0 && bits_.compare_exchange_weak(seen, seen | locked, acquire, relaxed)) return seen;
    if (spins < 100) {
      spin_pause();
    } else {
      yield_thread();
    }
  }
}

}  // namespace weft::inline v0::detail
