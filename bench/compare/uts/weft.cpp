// Counting the nodes of a tree that nobody can balance in advance, a fiber for each node. An item is one node.
#include "../support/fork_join.h"
#include "../support/race.h"

#include <weft/weft.h>

#include <vector>

namespace {

struct subtree {
  std::uint64_t node;

  std::uint64_t operator()() const;
};

std::uint64_t count(std::uint64_t node, std::uint64_t width) {
  std::vector<subtree> children(width);
  for (std::uint64_t i = 0; i < width; ++i) children[i] = {race::tree::child(node, i)};
  std::uint64_t sum = 1;
  for (const std::uint64_t each : weft::gather(children)) sum += each;
  return sum;
}

std::uint64_t subtree::operator()() const { return race::tree::is_inner(node) ? count(node, race::tree::width) : 1; }

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 2000);
  const auto result =
      weft::run({.cores = what.cores}, [&] { return race::measured([&] { return count(1, what.size); }); });
  const std::uint64_t nodes = race::tree::count_all(what.size);
  return race::report("uts", "weft", what, nodes, result, nodes);
}
