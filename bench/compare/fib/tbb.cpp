#include "../support/fork_join.h"
#include "../support/race.h"

#include <tbb/global_control.h>
#include <tbb/task_group.h>

namespace {

std::uint64_t fib(std::uint64_t n) {
  if (n < 2) return n;
  std::uint64_t a = 0;
  tbb::task_group group;
  group.run([&a, n] { a = fib(n - 1); });
  const std::uint64_t b = fib(n - 2);
  group.wait();
  return a + b;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 27);
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, what.cores);
  const auto result = race::measured([&] { return fib(what.size); });
  return race::report("fib", "tbb", what, race::fib_calls(what.size), result, race::fib(what.size));
}
