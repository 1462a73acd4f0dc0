// All ways to place n queens, a fiber for each allowed square of the next row. An item is one solution.
#include "../support/fork_join.h"
#include "../support/race.h"

#include <weft/weft.h>

#include <vector>

namespace {

std::uint64_t solutions(const race::board& placed, int n);

struct placement {
  race::board placed;
  int n;

  std::uint64_t operator()() const { return solutions(placed, n); }
};

std::uint64_t solutions(const race::board& placed, int n) {
  if (placed.rows == n) return 1;
  std::vector<placement> next;
  for (int column = 0; column < n; ++column) {
    if (placed.allows(column)) next.push_back({placed.with(column), n});
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t each : weft::gather(next)) sum += each;
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
