// What the fork-join programs agree on: expected results, the board of the queens, the kernel of the matrices, and the
// tree that nobody can balance in advance.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace race {

inline std::uint64_t fib(std::uint64_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

inline std::uint64_t fib_calls(std::uint64_t n) { return 2 * fib(n + 1) - 1; }

// The columns of the queens in the rows that are filled.
struct board {
  std::array<std::int8_t, 16> column{};
  int rows = 0;

  bool allows(int candidate) const noexcept {
    for (int row = 0; row < rows; ++row) {
      const int distance = column[static_cast<std::size_t>(row)] - candidate;
      if (distance == 0 || distance == rows - row || distance == row - rows) return false;
    }
    return true;
  }

  board with(int candidate) const noexcept {
    board next = *this;
    next.column[static_cast<std::size_t>(next.rows++)] = static_cast<std::int8_t>(candidate);
    return next;
  }
};

inline std::uint64_t queens_solutions(std::uint64_t n) {
  constexpr std::array<std::uint64_t, 15> known{1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596};
  return n < known.size() ? known[n] : 0;
}

// Square matrices of small whole numbers, so that the check value is exact.
struct matrices {
  explicit matrices(std::size_t order) : n(order), a(order * order), b(order * order), c(order * order) {
    for (std::size_t i = 0; i < n * n; ++i) {
      a[i] = double(i % 7);
      b[i] = double(i % 5);
    }
  }

  // c = a * b in the rows [r, r + rows) and the columns [s, s + columns).
  // Not inlined, so that every entry runs the same code.
  [[gnu::noinline]] void multiply_block(std::size_t r, std::size_t rows, std::size_t s, std::size_t columns) noexcept {
    for (std::size_t i = r; i < r + rows; ++i) {
      double* const out = &c[i * n];
      for (std::size_t j = s; j < s + columns; ++j) out[j] = 0;
      for (std::size_t k = 0; k < n; ++k) {
        const double factor = a[i * n + k];
        const double* const in = &b[k * n];
        for (std::size_t j = s; j < s + columns; ++j) out[j] += factor * in[j];
      }
    }
  }

  std::uint64_t check() const noexcept {
    double sum = 0;
    for (const double each : c) sum += each;
    return static_cast<std::uint64_t>(sum);
  }

  // The sum of all elements of a * b, from the column sums of a and the row sums of b.
  std::uint64_t expected() const noexcept {
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) {
      double column = 0;
      double row = 0;
      for (std::size_t i = 0; i < n; ++i) {
        column += a[i * n + k];
        row += b[k * n + i];
      }
      sum += column * row;
    }
    return static_cast<std::uint64_t>(sum);
  }

  std::size_t n;
  std::vector<double> a, b, c;
};

constexpr std::size_t matrix_leaf = 64;  // Below this many rows and columns a block is not divided any more.

// A tree whose root has any number of children, and whose other nodes have eight each with probability 0.124, else none:
// subtrees of all sizes, known only by walking them.
namespace tree {

constexpr std::size_t width = 8;

inline std::uint64_t child(std::uint64_t node, std::uint64_t i) noexcept {
  std::uint64_t z = node + (i + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

inline bool is_inner(std::uint64_t node) noexcept { return double(node >> 11) * 0x1p-53 < 0.124; }

inline std::uint64_t count(std::uint64_t node) {
  if (!is_inner(node)) return 1;
  std::uint64_t sum = 1;
  for (std::uint64_t i = 0; i < width; ++i) sum += count(child(node, i));
  return sum;
}

// All nodes of the tree whose root has `children`.
inline std::uint64_t count_all(std::uint64_t children) {
  std::uint64_t sum = 1;
  for (std::uint64_t i = 0; i < children; ++i) sum += count(child(1, i));
  return sum;
}

}  // namespace tree

}  // namespace race
