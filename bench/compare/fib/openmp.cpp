#include "../support/fork_join.h"
#include "../support/race.h"

#include <omp.h>

namespace {

std::uint64_t fib(std::uint64_t n) {
  if (n < 2) return n;
  std::uint64_t a = 0;
#pragma omp task shared(a) firstprivate(n)
  a = fib(n - 1);
  const std::uint64_t b = fib(n - 2);
#pragma omp taskwait
  return a + b;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 27);
  omp_set_num_threads(static_cast<int>(what.cores));
  const auto result = race::measured([&] {
    std::uint64_t value = 0;
#pragma omp parallel
#pragma omp single
    value = fib(what.size);
    return value;
  });
  return race::report("fib", "openmp", what, race::fib_calls(what.size), result, race::fib(what.size));
}
