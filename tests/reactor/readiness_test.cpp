#include "reactor/readiness.h"

#include <gtest/gtest.h>

namespace weft::detail {
namespace {

using state = readiness::state;

TEST(readiness, starts_ready_because_nothing_is_known) {
  readiness word;
  word.reset();

  EXPECT_TRUE(word.load().is_ready());
}

TEST(readiness, is_not_drained_past_an_event) {
  readiness word;
  word.reset();
  const state seen = word.load();

  word.report(1);

  EXPECT_FALSE(word.drain(seen));
  EXPECT_TRUE(word.load().is_ready());
}

TEST(readiness, is_drained_with_the_tick_that_was_seen) {
  readiness word;
  word.report(7);

  ASSERT_TRUE(word.drain(word.load()));

  EXPECT_TRUE(word.load().is_drained());
  EXPECT_EQ(word.load().tick(), 7u);
}

TEST(readiness, gives_the_waiting_fiber_to_the_event) {
  readiness word;
  word.reset();
  word.drain(word.load());
  constexpr std::uint32_t name = 0xdeadbeef;
  constexpr std::uint64_t epoch = (std::uint64_t{1} << 32) + 12345;
  ASSERT_TRUE(word.arm(word.load(), name, epoch));

  const state before = word.report(1);

  ASSERT_TRUE(before.is_waiting());
  EXPECT_EQ(before.name(), name);
  EXPECT_TRUE(before.is_epoch(epoch));
  EXPECT_FALSE(before.is_epoch(epoch + 1));
}

TEST(readiness, does_not_arm_past_an_event) {
  readiness word;
  word.reset();
  word.drain(word.load());
  const state seen = word.load();

  word.report(1);

  EXPECT_FALSE(word.arm(seen, 1, 1));
}

TEST(readiness, turns_a_second_waiter_away) {
  readiness word;
  word.reset();
  word.drain(word.load());
  const state drained = word.load();
  ASSERT_TRUE(word.arm(drained, 1, 1));

  EXPECT_FALSE(word.arm(drained, 2, 1));
  EXPECT_TRUE(word.load().is_waiting());
}

TEST(readiness, is_disarmed_only_by_who_armed_it) {
  readiness word;
  word.reset();
  word.drain(word.load());
  const state drained = word.load();
  word.arm(drained, 1, 5);

  EXPECT_FALSE(word.disarm(1, 4, drained));
  EXPECT_TRUE(word.disarm(1, 5, drained));
  EXPECT_TRUE(word.load().is_drained());
}

TEST(readiness, stays_closed) {
  readiness word;
  word.reset();
  const state seen = word.load();
  word.close();

  EXPECT_TRUE(word.report(9).is_closed());
  EXPECT_FALSE(word.drain(seen));
  EXPECT_TRUE(word.load().is_closed());
}

}  // namespace
}  // namespace weft::detail
