// Counting the nodes of a tree that nobody can balance in advance, a fiber for each node. An item is one node.
#include "../support/fork_join.h"
#include "../support/race.h"

#include <weft/weft.h>

#include <vector>

namespace {

std::uint64_t count(std::uint64_t node) {
  if (!race::tree::is_inner(node)) return 1;
  std::array<std::uint64_t, race::tree::width> found{};
  weft::scope children;
  for (std::uint64_t i = 0; i < race::tree::width; ++i) {
    children.spawn([node, i, &mine = found[i]] { mine = count(race::tree::child(node, i)); });
  }
  children.join();
  std::uint64_t sum = 1;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

std::uint64_t count_all(std::uint64_t width) {
  std::vector<std::uint64_t> found(width);
  weft::scope children;
  for (std::uint64_t i = 0; i < width; ++i) {
    children.spawn([i, &mine = found[i]] { mine = count(race::tree::child(1, i)); });
  }
  children.join();
  std::uint64_t sum = 1;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 2000);
  const auto result =
      weft::run({.cores = what.cores}, [&] { return race::measured([&] { return count_all(what.size); }); });
  const std::uint64_t nodes = race::tree::count_all(what.size);
  return race::report("uts", "weft", what, nodes, result, nodes);
}
