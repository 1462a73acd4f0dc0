#include "../support/fork_join.h"
#include "../support/race.h"

#include <tbb/global_control.h>
#include <tbb/task_group.h>

namespace {

std::uint64_t solutions(const race::board& placed, int n) {
  if (placed.rows == n) return 1;
  std::array<std::uint64_t, 16> found{};
  tbb::task_group rows;
  for (int column = 0; column < n; ++column) {
    if (!placed.allows(column)) continue;
    rows.run([next = placed.with(column), n, &mine = found[static_cast<std::size_t>(column)]] {
      mine = solutions(next, n);
    });
  }
  rows.wait();
  std::uint64_t sum = 0;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 10);
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, what.cores);
  const auto result = race::measured([&] { return solutions(race::board{}, static_cast<int>(what.size)); });
  const std::uint64_t expected = race::queens_solutions(what.size);
  return race::report("nqueens", "tbb", what, expected, result, expected);
}
