#include "scheduler/chaos.h"

#ifdef WEFT_CHAOS
#include "base/random.h"
#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/thread.h"

#include <weft/detail/atomic.h>

#include <cstdio>
#include <cstdlib>

namespace weft::inline v0::detail {

namespace {
// One sequence for all threads: which thread draws which number is up to the scheduling that we want to disturb anyway.
atomic<std::uint64_t> draws{0};

std::uint64_t seed() noexcept {
  static const std::uint64_t chosen = [] {
    const char* const wanted = std::getenv("WEFT_CHAOS_SEED");
    const std::uint64_t s =
        wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : static_cast<std::uint64_t>(monotonic_now());
    std::fprintf(stderr, "weft: chaos build, WEFT_CHAOS_SEED=%llu\n", static_cast<unsigned long long>(s));
    return s;
  }();
  return chosen;
}

std::uint32_t draw() noexcept {
  return static_cast<std::uint32_t>(random_source(seed() + draws.fetch_add(1, relaxed)).next() >> 32);
}

constexpr std::uint32_t longest_delay = 100'000;
}  // namespace

void chaos_point() noexcept {
  const std::uint32_t d = draw();
  if (d % 64 == 0) {
    yield_thread();
  } else if (d % 16 == 0) {
    for (std::uint32_t i = 0; i < (d >> 8) % 512; ++i) spin_pause();
  }
}

bool chaos_says(std::uint32_t one_in) noexcept { return draw() % one_in == 0; }

std::uint32_t chaos_below(std::uint32_t bound) noexcept { return draw() % bound; }

void chaos_delay() noexcept {
  if (!chaos_says(32)) return;
  const atomic<std::uint32_t> nobody_wakes{0};
  futex_wait(nobody_wakes, 0, monotonic_now() + chaos_below(longest_delay));
}

// For weft/detail/chaos_atomic.h.
bool chaos_fails_exchange() noexcept { return chaos_says(4); }
void chaos_before_write() noexcept {
  if (chaos_says(16)) chaos_point();
}

}  // namespace weft::inline v0::detail
#endif
