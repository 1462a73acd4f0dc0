#include <weft/detail/object_lock.h>

#include "platform/thread.h"

namespace weft::inline v0::detail {

WEFT_COLD void object_lock::lock_contended() noexcept {
  int spins = 0;
  do {
    while (word_.load(relaxed) != 0) {  // Reads only: the line stays shared while it is held.
      if (++spins < 100) {
        spin_pause();
      } else {
        yield_thread();
      }
    }
  } while (word_.exchange(1, acquire) != 0);  // Pairs with unlock().
}

}  // namespace weft::inline v0::detail
