// Starting an empty fiber and joining it: one after the other ("one"), or a thousand and then all of them ("batch").
#include "../support/race.h"

#include <weft/weft.h>

#include <vector>

namespace {

std::uint64_t one_by_one(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += weft::spawn([i] { return i & 1; }).join();
  return sum;
}

std::uint64_t in_batches(std::uint64_t count) {
  constexpr std::uint64_t batch = 1000;
  std::uint64_t sum = 0;
  std::vector<weft::fiber<std::uint64_t>> fibers;
  fibers.reserve(batch);
  for (std::uint64_t first = 0; first < count; first += batch) {
    for (std::uint64_t i = first; i < first + batch; ++i) fibers.push_back(weft::spawn([i] { return i & 1; }));
    for (auto& each : fibers) sum += each.join();
    fibers.clear();
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "one", 1'000'000);
  if (what.variant != "one" && what.variant != "batch") race::refuse("spawn_join", what);
  const auto result = weft::run({.cores = what.cores}, [&] {
    return race::measured([&] { return what.variant == "one" ? one_by_one(what.size) : in_batches(what.size); });
  });
  return race::report("spawn_join", "weft", what, what.size, result, what.size / 2);
}
