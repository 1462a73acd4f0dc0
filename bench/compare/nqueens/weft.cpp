// All ways to place n queens, a fiber for each allowed square of the next row. An item is one solution.
#include "../support/fork_join.h"
#include "../support/race.h"

#include <weft/weft.h>

namespace {

std::uint64_t solutions(const race::board& placed, int n) {
  if (placed.rows == n) return 1;
  std::array<std::uint64_t, 16> found{};
  weft::scope rows;
  for (int column = 0; column < n; ++column) {
    if (!placed.allows(column)) continue;
    rows.spawn([next = placed.with(column), n, &mine = found[static_cast<std::size_t>(column)]] {
      mine = solutions(next, n);
    });
  }
  rows.join();
  std::uint64_t sum = 0;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 10);
  const auto result = weft::run({.cores = what.cores}, [&] {
    return race::measured([&] { return solutions(race::board{}, static_cast<int>(what.size)); });
  });
  const std::uint64_t expected = race::queens_solutions(what.size);
  return race::report("nqueens", "weft", what, expected, result, expected);
}
