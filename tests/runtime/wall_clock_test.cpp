// The system's clock, which somebody may set at any time: nothing of weft reads it, or has the kernel wait on it. Here it
// jumps by a day at every reading, to and fro, and everything that takes a limit keeps it.
#include "support/replaced_system_calls.h"
#include "support/with_cores.h"

#include <linux/futex.h>

#include <atomic>
#include <type_traits>

namespace weft_test {
namespace {

using weft::detail::real_system_calls;
using weft::detail::system_calls;
using clock_type = std::chrono::steady_clock;

// A moment of a clock that may be set is no deadline: what it means can change while a call waits.
static_assert(!std::is_constructible_v<weft::deadline, std::chrono::system_clock::time_point>);
static_assert(std::is_constructible_v<weft::deadline, clock_type::time_point>);

std::atomic<int> readings{0};
std::atomic<int> readings_of_the_wall_clock{0};
std::atomic<int> waits_on_the_wall_clock{0};

// A thread's own clocks have negative numbers.
bool is_set_by_nobody(clockid_t clock) noexcept { return clock == CLOCK_MONOTONIC || clock < 0; }

void let_the_wall_clock_jump(system_calls& table) {
  table.clock_gettime = [](clockid_t clock, timespec* now) noexcept {
    constexpr time_t day = 86'400;
    const int result = real_system_calls().clock_gettime(clock, now);
    ++readings;
    if (!is_set_by_nobody(clock)) now->tv_sec += ++readings_of_the_wall_clock % 2 == 0 ? day : -day;
    return result;
  };
  table.futex = [](const void* word, int operation, std::uint32_t value, const timespec* timeout,
                   std::uint32_t mask) noexcept {
    if ((operation & FUTEX_CLOCK_REALTIME) != 0) ++waits_on_the_wall_clock;
    return real_system_calls().futex(word, operation, value, timeout, mask);
  };
}

// Runs `call`, which is to end in 3 ms: not before, and not a day later.
template <class Call>
void expect_to_last(Call call) {
  const auto begin = clock_type::now();
  call(weft::deadline(3ms));
  const auto took = clock_type::now() - begin;
  EXPECT_GE(took, 3ms);
  EXPECT_LT(took, long_enough);
}

void everything_that_takes_a_limit() {
  weft::event never_set;
  weft::channel<int> empty(1);
  auto sleeping = weft::spawn([] { weft::this_fiber::sleep_for(std::chrono::hours::max()); });
  expect_to_last([](weft::deadline limit) { weft::this_fiber::sleep_until(limit); });
  expect_to_last([&](weft::deadline limit) { EXPECT_FALSE(never_set.wait_until(limit)); });
  expect_to_last([&](weft::deadline limit) { EXPECT_EQ(empty.receive_until(limit), std::nullopt); });
  expect_to_last([&](weft::deadline limit) { EXPECT_FALSE(sleeping.join(limit)); });
  expect_to_last([&](weft::deadline limit) { weft::move_on_after(limit, [&] { never_set.wait(); }); });
  expect_to_last([&](weft::deadline limit) {
    weft::select(weft::on_receive(empty, [](std::optional<int>) {}), weft::on_timeout(limit));
  });
  std::thread outside([&] {
    expect_to_last([&](weft::deadline limit) { EXPECT_FALSE(never_set.wait_until(limit)); });
    expect_to_last([](weft::deadline limit) { weft::this_fiber::sleep_until(limit); });
  });
  outside.join();
  sleeping.cancel();
}

TEST(wall_clock, may_jump_as_it_likes) {
  readings = 0;
  {
    const replaced_system_calls jumping(&let_the_wall_clock_jump);
    with_cores(every_reactor, &everything_that_takes_a_limit);
  }
  EXPECT_GT(readings, 0) << "time was read elsewhere";
  EXPECT_EQ(readings_of_the_wall_clock, 0);
  EXPECT_EQ(waits_on_the_wall_clock, 0);
}

}  // namespace
}  // namespace weft_test
