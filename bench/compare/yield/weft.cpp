// Two fibers that yield to each other. An item is one yield.
#include "../support/race.h"

#include <weft/weft.h>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "pair", 1'000'000);
  const auto result = weft::run({.cores = what.cores}, [&] {
    return race::measured([&] {
      std::uint64_t turns[2] = {};
      weft::with_scope([&](weft::scope& pair) {
        for (std::uint64_t& mine : turns) {
          pair.spawn([&mine, rounds = what.size / 2] {
            for (; mine < rounds; ++mine) weft::this_fiber::yield();
          });
        }
      });
      return turns[0] + turns[1];
    });
  });
  return race::report("yield", "weft", what, what.size, result, what.size);
}
