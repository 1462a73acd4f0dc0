// A counter under a mutex: one fiber alone ("uncontended"), or eight at once, each of which yields once in 16 times with
// the lock held ("contended"), so that others do wait for it. An item is one lock and unlock.
#include "../support/race.h"

#include <weft/weft.h>

#include <mutex>

namespace {

std::uint64_t count_together(std::uint64_t fibers, std::uint64_t count) {
  weft::mutex guard;
  std::uint64_t counter = 0;
  weft::with_scope([&](weft::scope& crew) {
    for (std::uint64_t f = 0; f < fibers; ++f) {
      crew.spawn([&] {
        for (std::uint64_t i = 0; i < count / fibers; ++i) {
          const std::lock_guard hold(guard);
          ++counter;
          if (fibers > 1 && i % 16 == 0) weft::this_fiber::yield();
        }
      });
    }
  });
  return counter;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "uncontended", 1'000'000);
  if (what.variant != "uncontended" && what.variant != "contended") race::refuse("mutex", what);
  const std::uint64_t fibers = what.variant == "contended" ? 8 : 1;
  const auto result = weft::run({.cores = what.cores},
                                [&] { return race::measured([&] { return count_together(fibers, what.size); }); });
  return race::report("mutex", "weft", what, what.size, result, what.size / fibers * fibers);
}
