#include "../support/fork_join.h"
#include "../support/race.h"

#include <omp.h>

namespace {

std::uint64_t count(std::uint64_t node) {
  if (!race::tree::is_inner(node)) return 1;
  std::array<std::uint64_t, race::tree::width> found{};
  for (std::uint64_t i = 0; i < race::tree::width; ++i) {
#pragma omp task shared(found) firstprivate(node, i)
    found[i] = count(race::tree::child(node, i));
  }
#pragma omp taskwait
  std::uint64_t sum = 1;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

std::uint64_t count_all(std::uint64_t width) {
  std::vector<std::uint64_t> found(width);
#pragma omp parallel
#pragma omp single
  for (std::uint64_t i = 0; i < width; ++i) {
#pragma omp task shared(found) firstprivate(i)
    found[i] = count(race::tree::child(1, i));
  }
  std::uint64_t sum = 1;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 2000);
  omp_set_num_threads(static_cast<int>(what.cores));
  const auto result = race::measured([&] { return count_all(what.size); });
  const std::uint64_t nodes = race::tree::count_all(what.size);
  return race::report("uts", "openmp", what, nodes, result, nodes);
}
