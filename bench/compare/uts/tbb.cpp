#include "../support/fork_join.h"
#include "../support/race.h"

#include <tbb/global_control.h>
#include <tbb/task_group.h>

#include <array>
#include <vector>

namespace {

std::uint64_t count(std::uint64_t node);

template <class Found>
std::uint64_t count_all(Found& found, std::uint64_t node) {
  tbb::task_group children;
  for (std::uint64_t i = 0; i < found.size(); ++i) {
    children.run([node, i, &mine = found[i]] { mine = count(race::tree::child(node, i)); });
  }
  children.wait();
  std::uint64_t sum = 1;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

std::uint64_t count(std::uint64_t node) {
  if (!race::tree::is_inner(node)) return 1;
  std::array<std::uint64_t, race::tree::width> found{};
  return count_all(found, node);
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 2000);
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, what.cores);
  const auto result = race::measured([&] {
    std::vector<std::uint64_t> found(what.size);
    return count_all(found, 1);
  });
  const std::uint64_t nodes = race::tree::count_all(what.size);
  return race::report("uts", "tbb", what, nodes, result, nodes);
}
