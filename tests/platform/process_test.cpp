#include "platform/process.h"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <gtest/gtest.h>

namespace {

using namespace weft::detail;

TEST(fork, a_child_of_a_watching_process_knows) {
  watch_fork();
  EXPECT_FALSE(forked_child());
  EXPECT_EXIT(std::_Exit(forked_child() ? 3 : 4), testing::ExitedWithCode(3), "");
  unwatch_fork();
  EXPECT_FALSE(forked_child());
}

TEST(fork, a_child_of_a_process_that_stopped_watching_is_as_good_as_new) {
  watch_fork();
  unwatch_fork();
  EXPECT_EXIT(std::_Exit(forked_child() ? 3 : 4), testing::ExitedWithCode(4), "");
}

bool hook_ran = false;

TEST(fork, calls_the_registered_hooks_in_the_child_alone) {
  const auto hook = [] { hook_ran = true; };
  EXPECT_EQ(register_fork_child(hook), 0);
  EXPECT_EQ(register_fork_child(hook), 0) << "twice is once";
  watch_fork();
  EXPECT_EXIT(std::_Exit(hook_ran ? 3 : 4), testing::ExitedWithCode(3), "");
  unwatch_fork();
  EXPECT_FALSE(hook_ran);
}

template <int Number>
void one_of_many() {}

template <int... Numbers>
int last_of(std::integer_sequence<int, Numbers...>) {
  int last = 0;
  ((last = register_fork_child(&one_of_many<Numbers>)), ...);
  return last;
}

// In a process of its own, for there is no taking back.
TEST(fork, has_room_for_so_many_hooks_and_refuses_more) {
  EXPECT_EXIT(std::exit(last_of(std::make_integer_sequence<int, 17>()) == ENOSPC ? 3 : 4), testing::ExitedWithCode(3),
              "");
}

}  // namespace
