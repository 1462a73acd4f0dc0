// A runtime in which a hundred fibers wait for nothing that comes, for `size` milliseconds; who runs the race counts the
// wake-ups from outside.
#include "../support/race.h"

#include <weft/weft.h>

#include <atomic>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "idle", 1500);
  const auto result = weft::run({.cores = what.cores}, [&] {
    weft::event never;
    std::atomic<std::uint64_t> waiting{0};
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 100; ++i) {
        crew.spawn([&] {
          ++waiting;
          never.wait();
        });
      }
      weft::this_fiber::sleep_for(std::chrono::milliseconds(what.size));
      never.set();
    });
    return race::outcome{double(what.size) / 1000, waiting};
  });
  return race::report("idle", "weft", what, 1, result, 100);
}
