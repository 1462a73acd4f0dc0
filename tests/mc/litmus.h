// How a litmus shape is run, and what it may end with.
#pragma once

#include <weft/mc/atomic.h>
#include <weft/mc/blocking.h>
#include <weft/mc/check.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/plain.h>

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

namespace weft_mc {

using namespace weft::detail;
namespace mc = weft::mc;

inline constexpr mc::bounds everything{100, 100, 100};
inline constexpr mc::bounds for_many_threads{1, 100, 100};  // All choices of stores, and of threads where one ends.

// The results of two to four loads, and how to tell of them.
struct results {
  int r[4] = {-1, -1, -1, -1};
};

// All results that `threads`, started together, can end with.
template <class Shape>
std::set<std::vector<int>> outcomes(std::size_t count, const mc::bounds& limits = everything) {
  std::set<std::vector<int>> all;
  const mc::verdict v = mc::check(
      [&] {
        Shape shape;
        results out;
        shape.run(out);
        const mc::engine_scope outside;
        all.insert(std::vector<int>(out.r, out.r + count));
      },
      limits);
  EXPECT_TRUE(v.holds) << v;
  EXPECT_TRUE(v.is_complete);
  return all;
}

template <class... Bodies>
void together(Bodies... bodies) {
  const mc::engine_scope outside;
  std::vector<std::unique_ptr<mc::thread>> all;
  (all.push_back(std::make_unique<mc::thread>(bodies)), ...);
  for (auto& each : all) each->join();
}

using outcome = std::vector<int>;

struct two_words {
  atomic<int> x{0};
  atomic<int> y{0};
};

}  // namespace weft_mc
