#include <weft/detail/waitable_word.h>

#include "platform/backoff.h"

namespace weft::inline v0::detail {

std::uint64_t waitable_word::lock_contended() noexcept {
  for (backoff pause;; pause.wait()) {
    std::uint64_t seen = bits_.load(relaxed);  // Stale only makes the exchange fail.
    // Pairs with unlock().
    if ((seen & locked) == 0 && bits_.compare_exchange_weak(seen, seen | locked, acquire, relaxed)) return seen;
  }
}

}  // namespace weft::inline v0::detail
