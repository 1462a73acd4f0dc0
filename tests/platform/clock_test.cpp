#include "platform/clock.h"

#include <chrono>
#include <cstdlib>
#include <limits>

#include <gtest/gtest.h>

#include "support/replaced_system_calls.h"

namespace {

using namespace weft::detail;
using namespace std::chrono_literals;

TEST(clock, is_the_one_below_steady_clock) {
  const std::int64_t before = to_deadline_ns(std::chrono::steady_clock::now());
  const std::int64_t now = monotonic_now();
  const std::int64_t after = to_deadline_ns(std::chrono::steady_clock::now());
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

TEST(clock, deadlines_saturate) {
  EXPECT_EQ(deadline_after(never), never);
  EXPECT_EQ(deadline_after(never - 1), never);
  const std::int64_t before = monotonic_now();
  EXPECT_GE(deadline_after(-5), before);
  EXPECT_GE(deadline_after(1'000'000'000), before + 1'000'000'000);
}

TEST(clock, is_not_read_where_the_answer_is_known) {
  const weft_test::replaced_system_calls table(
      [](system_calls& calls) { calls.clock_gettime = [](clockid_t, timespec*) noexcept -> int { std::abort(); }; });
  EXPECT_EQ(deadline_after(never), never);
  EXPECT_EQ(delay_until(never), never);
  EXPECT_EQ(delay_until(0), 0);
  EXPECT_EQ(delay_until(-1), 0);
}

TEST(clock, delay_until_counts_down_to_zero) {
  const std::int64_t start = monotonic_now();
  const std::int64_t delay = delay_until(start + 3'600'000'000'000);
  EXPECT_GT(delay, 0);
  EXPECT_LE(delay, 3'600'000'000'000);
  EXPECT_EQ(delay_until(start - 1), 0);
}

TEST(clock, timespec_splits_and_clamps) {
  EXPECT_EQ(to_timespec(2'000'000'003).tv_sec, 2);
  EXPECT_EQ(to_timespec(2'000'000'003).tv_nsec, 3);
  EXPECT_EQ(to_timespec(-1).tv_sec, 0);
  EXPECT_EQ(to_timespec(-1).tv_nsec, 0);
}

TEST(duration, integral_ones_convert_exactly) {
  static_assert(to_delay_ns(5ns) == 5);
  static_assert(to_delay_ns(2ms) == 2'000'000);
  static_assert(to_delay_ns(1h) == 3'600'000'000'000);
  using thirds = std::chrono::duration<int, std::ratio<1, 3>>;
  EXPECT_EQ(to_delay_ns(thirds(1)), 333'333'334) << "rounded up: no wait ends early";
  using picoseconds = std::chrono::duration<long, std::pico>;
  EXPECT_EQ(to_delay_ns(picoseconds(1)), 1);
}

TEST(duration, what_does_not_fit_saturates) {
  EXPECT_EQ(to_delay_ns(std::chrono::hours::max()), never);
  EXPECT_EQ(to_delay_ns(std::chrono::hours::min()), 0);
  EXPECT_EQ(to_delay_ns(std::chrono::nanoseconds::max()), never);
  EXPECT_EQ(to_delay_ns(-1ns), 0);
  using ages = std::chrono::duration<std::uint64_t, std::giga>;
  EXPECT_EQ(to_delay_ns(ages::max()), never);
}

TEST(duration, floating_ones_convert_and_saturate) {
  using seconds = std::chrono::duration<double>;
  using float_hours = std::chrono::duration<float, std::ratio<3600>>;
  EXPECT_EQ(to_delay_ns(seconds(0.25)), 250'000'000);
  EXPECT_EQ(to_delay_ns(seconds(1e-12)), 1);
  EXPECT_EQ(to_delay_ns(seconds(-0.5)), 0);
  EXPECT_EQ(to_delay_ns(seconds(1e300)), never);
  EXPECT_EQ(to_delay_ns(seconds(std::numeric_limits<double>::infinity())), never);
  EXPECT_EQ(to_delay_ns(seconds(-std::numeric_limits<double>::infinity())), 0);
  EXPECT_EQ(to_delay_ns(seconds(std::numeric_limits<double>::quiet_NaN())), 0);
  EXPECT_EQ(to_delay_ns(float_hours(0.5f)), 1'800'000'000'000);
  EXPECT_EQ(to_delay_ns(float_hours::max()), never);
}

TEST(duration, time_points_saturate) {
  using std::chrono::steady_clock;
  EXPECT_EQ(to_deadline_ns(steady_clock::time_point::max()), never);
  EXPECT_EQ(to_deadline_ns(steady_clock::time_point::min()), 0);
  EXPECT_EQ(to_deadline_ns(steady_clock::time_point(7us)), 7'000);
  EXPECT_EQ(delay_until_ns(std::chrono::system_clock::time_point::max()), never);
  EXPECT_EQ(delay_until_ns(std::chrono::system_clock::time_point()), 0);
  const auto in_an_hour = std::chrono::system_clock::now() + 1h;
  EXPECT_GT(delay_until_ns(in_an_hour), to_delay_ns(59min));
  EXPECT_LE(delay_until_ns(in_an_hour), to_delay_ns(1h));
}

TEST(duration, sum_of_now_and_delay_saturates) {
  static_assert(saturated_deadline(10, 5) == 15);
  static_assert(saturated_deadline(10, -5) == 10);
  static_assert(saturated_deadline(10, never - 11) == never - 1);
  static_assert(saturated_deadline(10, never - 10) == never);
  static_assert(saturated_deadline(0, never) == never);
}

}  // namespace
