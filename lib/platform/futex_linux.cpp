#include <linux/futex.h>

#include <cerrno>

#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/system_calls.h"

namespace weft::inline v0::detail {
namespace {

static_assert(sizeof(atomic<std::uint32_t>) == sizeof(std::uint32_t), "the kernel reads the bare word");

}  // namespace

int futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept {
  // The bitset form takes an absolute CLOCK_MONOTONIC time: no clock to read here, nothing to recompute on retry.
  const timespec until = to_timespec(deadline);
  const int result = sys().futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                                 deadline == never ? nullptr : &until, FUTEX_BITSET_MATCH_ANY);
  // EAGAIN (the word differed) and EINTR are wake-ups for no reason.
  return result == -ETIMEDOUT ? ETIMEDOUT : 0;
}

int futex_wake(const atomic<std::uint32_t>& word, int count) noexcept {
  const int woken = sys().futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, static_cast<std::uint32_t>(count), nullptr, 0);
  return woken > 0 ? woken : 0;
}

}  // namespace weft::inline v0::detail
