#include "../support/fork_join.h"
#include "../support/race.h"

#include <tbb/global_control.h>
#include <tbb/task_group.h>

#include <vector>

namespace {

std::uint64_t count(std::uint64_t node, std::uint64_t width) {
  std::vector<std::uint64_t> found(width);
  tbb::task_group children;
  for (std::uint64_t i = 0; i < width; ++i) {
    children.run([node, i, &mine = found[i]] {
      const std::uint64_t child = race::tree::child(node, i);
      mine = race::tree::is_inner(child) ? count(child, race::tree::width) : 1;
    });
  }
  children.wait();
  std::uint64_t sum = 1;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 2000);
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, what.cores);
  const auto result = race::measured([&] { return count(1, what.size); });
  const std::uint64_t nodes = race::tree::count_all(what.size);
  return race::report("uts", "tbb", what, nodes, result, nodes);
}
