#include "../support/fork_join.h"
#include "../support/race.h"

#include <omp.h>

namespace {

std::uint64_t solutions(const race::board& placed, int n) {
  if (placed.rows == n) return 1;
  std::array<std::uint64_t, 16> found{};
  for (int column = 0; column < n; ++column) {
    if (!placed.allows(column)) continue;
    const race::board next = placed.with(column);
#pragma omp task shared(found) firstprivate(next, n, column)
    found[static_cast<std::size_t>(column)] = solutions(next, n);
  }
#pragma omp taskwait
  std::uint64_t sum = 0;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 10);
  omp_set_num_threads(static_cast<int>(what.cores));
  const auto result = race::measured([&] {
    std::uint64_t value = 0;
#pragma omp parallel
#pragma omp single
    value = solutions(race::board{}, static_cast<int>(what.size));
    return value;
  });
  const std::uint64_t expected = race::queens_solutions(what.size);
  return race::report("nqueens", "openmp", what, expected, result, expected);
}
