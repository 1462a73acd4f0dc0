#include "scheduler/chaos.h"

#ifdef WEFT_CHAOS
#include "base/random.h"
#include "platform/clock.h"
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

std::uint64_t draw() noexcept { return random_source(seed() + draws.fetch_add(1, relaxed)).next(); }
}  // namespace

void chaos_point() noexcept {
  const std::uint64_t d = draw() >> 20;
  if (d % 64 == 0) {
    yield_thread();
  } else if (d % 16 == 0) {
    for (std::uint64_t i = 0; i < d % 512; ++i) spin_pause();
  }
}

bool chaos_says(std::uint32_t one_in) noexcept { return (draw() >> 20) % one_in == 0; }

}  // namespace weft::inline v0::detail
#endif
