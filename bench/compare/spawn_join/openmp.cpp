#include "../support/race.h"

#include <omp.h>

#include <vector>

namespace {

std::uint64_t in_batches(std::uint64_t count, std::uint64_t batch) {
  std::vector<std::uint64_t> results(batch);
  std::uint64_t sum = 0;
#pragma omp parallel
#pragma omp single
  for (std::uint64_t first = 0; first < count; first += batch) {
    for (std::uint64_t i = 0; i < batch; ++i) {
#pragma omp task firstprivate(first, i) shared(results)
      results[i] = (first + i) & 1;
    }
#pragma omp taskwait
    for (const std::uint64_t each : results) sum += each;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "one", 1'000'000);
  if (what.variant != "one" && what.variant != "batch") race::refuse("spawn_join", what);
  omp_set_num_threads(static_cast<int>(what.cores));
  const auto result = race::measured([&] { return in_batches(what.size, what.variant == "one" ? 1 : 1000); });
  return race::report("spawn_join", "openmp", what, what.size, result, what.size / 2);
}
