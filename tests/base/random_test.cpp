#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace {

using weft::detail::random_source;

TEST(random_source, repeats_itself_for_the_same_seed_only) {
  random_source a(7), b(7), c(8);

  const std::uint64_t first = a.next();

  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  EXPECT_EQ(a(), b());
}

TEST(random_source, does_not_get_stuck_for_any_simple_seed) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    random_source source(seed);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 16; ++i) seen.insert(source.next());
    ASSERT_EQ(seen.size(), 16U) << "seed " << seed;
  }
}

TEST(random_source, below_fills_its_range_evenly) {
  random_source source(1);
  std::array<int, 10> hits{};

  for (int i = 0; i < 100'000; ++i) ++hits.at(source.below(10));

  for (const int n : hits) EXPECT_NEAR(n, 10'000, 500);
  EXPECT_EQ(source.below(1), 0U);
}

}  // namespace
