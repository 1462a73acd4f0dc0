#include "../support/race.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace {

std::uint64_t in_batches(std::uint64_t count, std::uint64_t batch) {
  std::uint64_t sum = 0;
  std::vector<std::thread> threads;
  std::vector<std::uint64_t> results(batch);
  for (std::uint64_t first = 0; first < count; first += batch) {
    const std::uint64_t here = std::min(batch, count - first);
    for (std::uint64_t i = 0; i < here; ++i)
      threads.emplace_back([&results, first, i] { results[i] = (first + i) & 1; });
    for (auto& each : threads) each.join();
    for (std::uint64_t i = 0; i < here; ++i) sum += results[i];
    threads.clear();
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "one", 20'000);
  if (what.variant != "one" && what.variant != "batch") race::refuse("spawn_join", what);
  const auto result = race::measured([&] { return in_batches(what.size, what.variant == "one" ? 1 : 1000); });
  return race::report("spawn_join", "std_thread", what, what.size, result, what.size / 2);
}
