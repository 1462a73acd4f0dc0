#include "../support/fork_join.h"
#include "../support/race.h"

#include <omp.h>

#include <algorithm>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 512);
  omp_set_num_threads(static_cast<int>(what.cores));
  race::matrices m(what.size);
  const std::size_t n = m.n;
  const auto result = race::measured([&] {
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (std::size_t r = 0; r < n; r += race::matrix_leaf) {
      for (std::size_t s = 0; s < n; s += race::matrix_leaf) {
        m.multiply_block(r, std::min(race::matrix_leaf, n - r), s, std::min(race::matrix_leaf, n - s));
      }
    }
    return m.check();
  });
  return race::report("matmul", "openmp", what, what.size * what.size * what.size, result, m.expected());
}
