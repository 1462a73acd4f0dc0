// The same blocks in the same order by plain calls: the floor.
#include "../support/fork_join.h"
#include "../support/race.h"

namespace {

void multiply(race::matrices& m, std::size_t r, std::size_t rows, std::size_t s, std::size_t columns) {
  if (rows <= race::matrix_leaf && columns <= race::matrix_leaf) {
    m.multiply_block(r, rows, s, columns);
  } else if (rows >= columns) {
    const std::size_t half = rows / 2;
    multiply(m, r, half, s, columns);
    multiply(m, r + half, rows - half, s, columns);
  } else {
    const std::size_t half = columns / 2;
    multiply(m, r, rows, s, half);
    multiply(m, r, rows, s + half, columns - half);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 512);
  race::matrices m(what.size);
  const auto result = race::measured([&] {
    multiply(m, 0, m.n, 0, m.n);
    return m.check();
  });
  return race::report("matmul", "serial", what, what.size * what.size * what.size, result, m.expected());
}
