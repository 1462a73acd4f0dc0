#include <weft/deadline.h>

#include <gtest/gtest.h>

#include <limits>

namespace weft {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

std::int64_t now() { return steady_clock::now().time_since_epoch().count(); }

TEST(deadline, is_never_unless_told) {
  EXPECT_TRUE(deadline().is_never());
  EXPECT_EQ(deadline(), deadline::never());
}

TEST(deadline, counts_a_duration_from_now) {
  const std::int64_t before = now();
  const deadline limit = 250ms;
  const std::int64_t after = now();
  EXPECT_GE(limit.nanoseconds(), before + 250'000'000);
  EXPECT_LE(limit.nanoseconds(), after + 250'000'000);
}

TEST(deadline, takes_moments_of_the_steady_clock_as_they_are) {
  const auto moment = steady_clock::now() + 3h;
  EXPECT_EQ(deadline(moment).nanoseconds(), moment.time_since_epoch().count());
}

TEST(deadline, saturates) {
  EXPECT_TRUE(deadline(std::chrono::hours::max()).is_never());
  EXPECT_TRUE(deadline(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).is_never());
  EXPECT_TRUE(deadline(steady_clock::time_point::max()).is_never());
  const deadline long_ago = std::chrono::hours::min(), just_now = -1ns;
  EXPECT_LE(long_ago.nanoseconds(), now());
  EXPECT_LE(just_now.nanoseconds(), now());
  EXPECT_EQ(deadline(steady_clock::time_point::min()).nanoseconds(), 0);
}

TEST(deadline, orders_as_moments_do) {
  EXPECT_LT(deadline(1s), deadline(1h));
  EXPECT_LT(deadline(1h), deadline::never());
}

}  // namespace
}  // namespace weft
