#include <weft/detail/object_lock.h>

#include "platform/backoff.h"

namespace weft::inline v0::detail {

WEFT_COLD void object_lock::lock_contended() noexcept {
  backoff pause;
  do {
    pause.wait();
  } while (word_.load(relaxed) != 0 || word_.exchange(1, acquire) != 0);  // Pairs with unlock().
}

}  // namespace weft::inline v0::detail
