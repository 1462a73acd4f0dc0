#include "../support/race.h"

#include <tbb/global_control.h>
#include <tbb/task_group.h>

#include <vector>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "one", 1'000'000);
  if (what.variant != "one" && what.variant != "batch") race::refuse("spawn_join", what);
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, what.cores);
  const std::uint64_t batch = what.variant == "one" ? 1 : 1000;
  std::vector<std::uint64_t> results(batch);
  const auto result = race::measured([&] {
    std::uint64_t sum = 0;
    for (std::uint64_t first = 0; first < what.size; first += batch) {
      tbb::task_group group;
      for (std::uint64_t i = 0; i < batch; ++i) group.run([&results, first, i] { results[i] = (first + i) & 1; });
      group.wait();
      for (const std::uint64_t each : results) sum += each;
    }
    return sum;
  });
  return race::report("spawn_join", "tbb", what, what.size, result, what.size / 2);
}
