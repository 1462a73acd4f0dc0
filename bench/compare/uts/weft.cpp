// Counting the nodes of a tree that nobody can balance in advance, a fiber for each node. An item is one node.
#include "../support/fork_join.h"
#include "../support/race.h"

#include <weft/weft.h>

#include <array>
#include <vector>

namespace {

std::uint64_t count(std::uint64_t node);

struct subtree {
  std::uint64_t node;

  std::uint64_t operator()() const { return count(node); }
};

template <class Children>
std::uint64_t count_all(Children& children, std::uint64_t node) {
  for (std::uint64_t i = 0; i < children.size(); ++i) children[i] = {race::tree::child(node, i)};
  std::uint64_t sum = 1;
  for (const std::uint64_t each : weft::gather(children)) sum += each;
  return sum;
}

std::uint64_t count(std::uint64_t node) {
  if (!race::tree::is_inner(node)) return 1;
  std::array<subtree, race::tree::width> children{};
  return count_all(children, node);
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 2000);
  const auto result = weft::run({.cores = what.cores}, [&] {
    return race::measured([&] {
      std::vector<subtree> children(what.size);
      return count_all(children, 1);
    });
  });
  const std::uint64_t nodes = race::tree::count_all(what.size);
  return race::report("uts", "weft", what, nodes, result, nodes);
}
