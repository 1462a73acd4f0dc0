#include "../support/fork_join.h"
#include "../support/race.h"

#include <tbb/blocked_range2d.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 512);
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, what.cores);
  race::matrices m(what.size);
  const auto result = race::measured([&] {
    const tbb::blocked_range2d<std::size_t> all(0, m.n, race::matrix_leaf, 0, m.n, race::matrix_leaf);
    const auto multiply = [&m](const tbb::blocked_range2d<std::size_t>& part) {
      m.multiply_block(part.rows().begin(), part.rows().size(), part.cols().begin(), part.cols().size());
    };
    tbb::parallel_for(all, multiply, tbb::simple_partitioner());
    return m.check();
  });
  return race::report("matmul", "tbb", what, what.size * what.size * what.size, result, m.expected());
}
