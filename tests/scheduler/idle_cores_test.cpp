#include "scheduler/idle_cores.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace weft::detail {
namespace {

constexpr std::array<std::uint16_t, 3> others{1, 2, 3};

TEST(idle_cores, wakes_nobody_while_nobody_is_parked) {
  idle_cores idle(4);

  EXPECT_EQ(idle.core_to_wake(others), idle_cores::nobody);
  EXPECT_EQ(idle.searching(), 0u);
}

TEST(idle_cores, wakes_the_nearest_and_counts_it_as_searching) {
  idle_cores idle(4);
  idle.announce(3);
  idle.announce(2);

  EXPECT_EQ(idle.core_to_wake(others), 2u);
  EXPECT_EQ(idle.searching(), 1u);
  EXPECT_EQ(idle.parked(), 1u);
  EXPECT_FALSE(idle.withdraw(2));
}

TEST(idle_cores, wakes_one_at_a_time) {
  idle_cores idle(4);
  idle.announce(2);
  idle.announce(3);
  ASSERT_EQ(idle.core_to_wake(others), 2u);

  EXPECT_EQ(idle.core_to_wake(others), idle_cores::nobody);

  EXPECT_TRUE(idle.leave_search());
  EXPECT_EQ(idle.core_to_wake(others), 3u);
}

TEST(idle_cores, withdraws_who_was_not_claimed) {
  idle_cores idle(2);
  idle.announce(1);

  EXPECT_TRUE(idle.withdraw(1));
  EXPECT_EQ(idle.parked(), 0u);
  EXPECT_FALSE(idle.withdraw(1));
}

TEST(idle_cores, does_not_spin_on_a_parked_core_that_is_not_asked_for) {
  idle_cores idle(4);
  idle.announce(0);

  EXPECT_EQ(idle.core_to_wake(others), idle_cores::nobody);
  EXPECT_EQ(idle.searching(), 0u);
}

TEST(idle_cores, lets_half_of_the_awake_cores_search) {
  idle_cores idle(4);

  EXPECT_TRUE(idle.enter_search());
  EXPECT_TRUE(idle.enter_search());
  EXPECT_FALSE(idle.enter_search());
  EXPECT_FALSE(idle.leave_search());
  EXPECT_TRUE(idle.leave_search());
}

TEST(idle_cores, knows_cores_beyond_one_word) {
  idle_cores idle(200);
  constexpr std::array<std::uint16_t, 2> far{63, 199};
  idle.announce(199);

  EXPECT_EQ(idle.core_to_wake(far), 199u);
}

}  // namespace
}  // namespace weft::detail
