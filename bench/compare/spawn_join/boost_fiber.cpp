#include "../support/boost_fiber.h"
#include "../support/race.h"

namespace {

std::uint64_t one_by_one(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) boost::fibers::fiber([&sum, i] { sum += i & 1; }).join();
  return sum;
}

std::uint64_t in_batches(std::uint64_t count) {
  constexpr std::uint64_t batch = 1000;
  std::uint64_t sum = 0;
  std::vector<boost::fibers::fiber> fibers;
  std::vector<std::uint64_t> results(batch);
  fibers.reserve(batch);
  for (std::uint64_t first = 0; first < count; first += batch) {
    for (std::uint64_t i = 0; i < batch; ++i) fibers.emplace_back([&results, i] { results[i] = i & 1; });
    for (auto& each : fibers) each.join();
    for (const std::uint64_t each : results) sum += each;
    fibers.clear();
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "one", 1'000'000);
  if (what.variant != "one" && what.variant != "batch") race::refuse("spawn_join", what);
  const auto result = race::run_on_boost(what.cores, [&] {
    return race::measured([&] { return what.variant == "one" ? one_by_one(what.size) : in_batches(what.size); });
  });
  return race::report("spawn_join", "boost_fiber", what, what.size, result, what.size / 2);
}
