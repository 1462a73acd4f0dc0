#include "platform/futex.h"

#include <cerrno>
#include <climits>
#include <vector>

#include <gtest/gtest.h>

#include "platform/clock.h"
#include "platform/thread.h"

namespace weft::inline v0::detail {
int futex_wait_on_condition(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept;
int futex_wake_on_condition(const atomic<std::uint32_t>& word, int count) noexcept;
}  // namespace weft::inline v0::detail

namespace {

using namespace weft::detail;

struct native {
  static constexpr auto wait = &futex_wait;
  static constexpr auto wake = &futex_wake;
};

struct on_condition {
  static constexpr auto wait = &futex_wait_on_condition;
  static constexpr auto wake = &futex_wake_on_condition;
};

template <class Implementation>
class futex : public testing::Test {};
using implementations = testing::Types<native, on_condition>;
TYPED_TEST_SUITE(futex, implementations);

TYPED_TEST(futex, returns_at_once_when_the_word_differs) {
  const atomic<std::uint32_t> word{1};
  EXPECT_EQ(TypeParam::wait(word, 0, never), 0);
}

TYPED_TEST(futex, times_out_at_a_deadline_and_not_before) {
  const atomic<std::uint32_t> word{0};
  const std::int64_t deadline = deadline_after(1'500'000);
  int result = 0;
  while (result == 0) result = TypeParam::wait(word, 0, deadline);
  EXPECT_EQ(result, ETIMEDOUT);
  EXPECT_GE(monotonic_now(), deadline);
}

TYPED_TEST(futex, a_deadline_in_the_past_times_out) {
  const atomic<std::uint32_t> word{0};
  EXPECT_EQ(TypeParam::wait(word, 0, 0), ETIMEDOUT);
  EXPECT_EQ(TypeParam::wait(word, 0, -1), ETIMEDOUT);
}

TYPED_TEST(futex, wake_finds_nobody_on_another_word) {
  const atomic<std::uint32_t> word{0};
  EXPECT_EQ(TypeParam::wake(word, INT_MAX), 0);
}

TYPED_TEST(futex, wake_returns_a_sleeper_of_an_unchanged_word) {
  const atomic<std::uint32_t> word{0};
  int result = -1;
  native_thread sleeper("sleeper", [&] { result = TypeParam::wait(word, 0, never); });
  while (TypeParam::wake(word, 1) == 0) yield_thread();
  sleeper.join();
  EXPECT_EQ(result, 0);
}

TYPED_TEST(futex, a_change_of_the_word_and_a_wake_are_never_lost) {
  constexpr std::uint32_t rounds = 3'000;
  atomic<std::uint32_t> turn{0};
  const auto play = [&](std::uint32_t parity) {
    for (std::uint32_t round = parity; round < rounds; round += 2) {
      for (std::uint32_t seen; (seen = turn.load(acquire)) != round;) TypeParam::wait(turn, seen, never);
      turn.store(round + 1, release);
      TypeParam::wake(turn, INT_MAX);
    }
  };
  native_thread odd("odd", [&] { play(1); });
  play(0);
  odd.join();
  EXPECT_EQ(turn.load(), rounds);
}

TYPED_TEST(futex, wake_takes_no_more_than_asked) {
  const atomic<std::uint32_t> word{0};
  std::vector<native_thread> sleepers;
  for (int index = 0; index < 3; ++index) {
    sleepers.emplace_back("sleeper", [&] { TypeParam::wait(word, 0, never); });
  }
  int woken = 0;
  while (woken < 3) {
    const int more = TypeParam::wake(word, 1);
    EXPECT_LE(more, 1);
    woken += more;
    yield_thread();
  }
  for (native_thread& sleeper : sleepers) sleeper.join();
  EXPECT_EQ(TypeParam::wake(word, INT_MAX), 0);
}

}  // namespace
