#include "reactor/slot_table.h"

#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace weft::detail {
namespace {

struct slot_table_test : testing::Test {
  scheduler owner{options{}, topology::flat(std::vector<int>{0})};
  slot_table& slots = *new slot_table(owner);
  ~slot_table_test() override { slots.abandon(); }
};

TEST_F(slot_table_test, finds_each_slot_by_its_index) {
  std::set<slot*> taken;
  for (int i = 0; i < 1000; ++i) {
    slot* const s = slots.take();
    ASSERT_NE(s, nullptr);
    EXPECT_EQ(&slots.at(s->index), s);
    EXPECT_TRUE(taken.insert(s).second);
  }
  EXPECT_EQ(slots.open(), 1000u);

  for (slot* const s : taken) slots.give(*s);

  EXPECT_EQ(slots.open(), 0u);
}

TEST(slot_users, turns_late_comers_away_without_counting_them) {
  slot_users users;
  const std::uint32_t generation = users.reopen();
  ASSERT_TRUE(users.begin_close(generation));

  EXPECT_FALSE(users.enter(generation));
  EXPECT_TRUE(users.leave());
}

TEST(slot_users, leaves_the_close_to_the_last_user) {
  slot_users users;
  const std::uint32_t generation = users.reopen();
  ASSERT_TRUE(users.enter(generation));
  ASSERT_TRUE(users.begin_close(generation));

  EXPECT_FALSE(users.leave());
  EXPECT_TRUE(users.leave());
}

TEST(slot_users, closes_once) {
  slot_users users;
  const std::uint32_t generation = users.reopen();

  EXPECT_TRUE(users.begin_close(generation));
  EXPECT_FALSE(users.begin_close(generation));
}

TEST(slot_users, turns_a_handle_of_an_earlier_descriptor_away) {
  slot_users users;
  const std::uint32_t before = users.reopen();
  users.begin_close(before);
  users.leave();
  users.retire();
  EXPECT_FALSE(users.enter(before));

  const std::uint32_t after = users.reopen();

  EXPECT_NE(before, after);
  EXPECT_FALSE(users.enter(before));
  EXPECT_FALSE(users.begin_close(before));
  EXPECT_TRUE(users.enter(after));
}

}  // namespace
}  // namespace weft::detail
