// Fibers that sleep all at once, each until another millisecond of half a second ("sleepers"), and deadlines of ten
// seconds around something that waits once and is then in time ("cancel"). An item is one sleeper, or one deadline.
#include "../support/race.h"

#include <weft/weft.h>

#include <atomic>

namespace {

using namespace std::chrono_literals;

std::uint64_t sleep_together(std::uint64_t count) {
  std::atomic<std::uint64_t> awake{0};
  weft::with_scope([&](weft::scope& sleepers) {
    for (std::uint64_t i = 0; i < count; ++i) {
      sleepers.spawn([&awake, i] {
        weft::this_fiber::sleep_for(500ms + std::chrono::milliseconds(i % 500));
        awake.fetch_add(1, std::memory_order_relaxed);
      });
    }
  });
  return awake;
}

std::uint64_t be_in_time(std::uint64_t count) {
  std::uint64_t in_time = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    weft::with_timeout(10s, [&] {
      weft::this_fiber::yield();
      ++in_time;
    });
  }
  return in_time;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "cancel", 100'000);
  if (what.variant != "sleepers" && what.variant != "cancel") race::refuse("timers", what);
  const auto result = weft::run({.cores = what.cores}, [&] {
    return race::measured(
        [&] { return what.variant == "sleepers" ? sleep_together(what.size) : be_in_time(what.size); });
  });
  return race::report("timers", "weft", what, what.size, result, what.size);
}
