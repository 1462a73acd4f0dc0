#include "platform/futex.h"

#include <weft/mc/blocking.h>

#include <cerrno>
#include <limits>

#include <weft/detail/duration.h>

namespace weft::inline v0::detail {

int futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept {
  void* const address = const_cast<void*>(static_cast<const void*>(&word));
  return mc::futex_wait({address, sizeof word}, expected, deadline != never, deadline) ? 0 : ETIMEDOUT;
}

int futex_wake(const atomic<std::uint32_t>& word, int count) noexcept { return mc::futex_wake(&word, count); }

}  // namespace weft::inline v0::detail
