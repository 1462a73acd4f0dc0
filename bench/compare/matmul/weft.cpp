// The product of two square matrices by halving the larger side down to blocks. An item is one multiplication and
// addition.
#include "../support/fork_join.h"
#include "../support/race.h"

#include <weft/weft.h>

namespace {

void multiply(race::matrices& m, std::size_t r, std::size_t rows, std::size_t s, std::size_t columns) {
  if (rows <= race::matrix_leaf && columns <= race::matrix_leaf) {
    m.multiply_block(r, rows, s, columns);
  } else if (rows >= columns) {
    const std::size_t half = rows / 2;
    weft::gather([&] { multiply(m, r, half, s, columns); }, [&] { multiply(m, r + half, rows - half, s, columns); });
  } else {
    const std::size_t half = columns / 2;
    weft::gather([&] { multiply(m, r, rows, s, half); }, [&] { multiply(m, r, rows, s + half, columns - half); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 512);
  race::matrices m(what.size);
  const auto result = weft::run({.cores = what.cores}, [&] {
    return race::measured([&] {
      multiply(m, 0, m.n, 0, m.n);
      return m.check();
    });
  });
  return race::report("matmul", "weft", what, what.size * what.size * what.size, result, m.expected());
}
