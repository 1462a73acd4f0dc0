// Plain calls: the floor.
#include "../support/fork_join.h"
#include "../support/race.h"

namespace {

std::uint64_t solutions(const race::board& placed, int n) {
  if (placed.rows == n) return 1;
  std::uint64_t sum = 0;
  for (int column = 0; column < n; ++column) {
    if (placed.allows(column)) sum += solutions(placed.with(column), n);
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 10);
  const auto result = race::measured([&] { return solutions(race::board{}, static_cast<int>(what.size)); });
  const std::uint64_t expected = race::queens_solutions(what.size);
  return race::report("nqueens", "serial", what, expected, result, expected);
}
