// Rates: never too many, in order, and nothing lost.
#include "support/waiting.h"

#include <memory>

using namespace weft_test;

WEFT_TEST(rate_limiter, gives_a_burst_and_then_keeps_to_its_rate) {
  weft::rate_limiter limiter({.permits = 2, .per = 2ms, .burst = 3});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(limiter.try_acquire(3));
  for (int i = 0; i < 4; ++i) limiter.acquire();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 4ms - 1us);
}

WEFT_TEST(rate_limiter, saves_up_no_more_than_its_burst) {
  weft::rate_limiter limiter({.permits = 1'000'000'000, .per = 1s, .burst = 5});
  limiter.acquire(5);
  weft::this_fiber::sleep_for(1ms);
  EXPECT_EQ(limiter.available(), 5u);
}

WEFT_TEST(rate_limiter, refuses_at_once_what_will_not_be_there_in_time) {
  weft::rate_limiter limiter({.permits = 1, .per = 1h, .burst = 2});
  EXPECT_FALSE(limiter.try_acquire_for(0s) && limiter.try_acquire(2));
  EXPECT_TRUE(limiter.try_acquire());
  EXPECT_FALSE(limiter.try_acquire());
  EXPECT_FALSE(limiter.try_acquire_for(1min)) << "an hour would be needed";
  on_plain_thread([&] { EXPECT_FALSE(limiter.try_acquire_for(1min)); });
}

WEFT_TEST(rate_limiter, serves_in_order_of_arrival) {
  const weft::pin_guard stay;
  weft::rate_limiter limiter({.permits = 1, .per = 200us, .burst = 3});
  limiter.acquire(3);
  std::vector<int> order;
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) {
    crew.push_back(begin_here([&, i] {
      limiter.acquire(i == 0 ? 3 : 1);
      order.push_back(i);
    }));
  }
  for (auto& each : crew) each.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

WEFT_TEST(rate_limiter, nobody_overtakes) {
  const weft::pin_guard stay;
  weft::rate_limiter limiter({.permits = 1, .per = 1h, .burst = 3});
  limiter.acquire();
  auto greedy = begin_here([&] { limiter.acquire(3); });
  EXPECT_EQ(limiter.available(), 2u);
  EXPECT_FALSE(limiter.try_acquire());
  greedy.cancel();
  EXPECT_TRUE(ended_cancelled(greedy));
  EXPECT_TRUE(limiter.try_acquire(2));
}

WEFT_TEST(rate_limiter, those_behind_move_up_when_one_gives_up) {
  const weft::pin_guard stay;
  weft::rate_limiter limiter({.permits = 1, .per = 1ms, .burst = 1'000'000});
  limiter.acquire(limiter.available());
  auto greedy = begin_here([&] { limiter.acquire(1'000'000); });
  auto timed = begin_here([&] { EXPECT_FALSE(limiter.try_acquire_for(1ms, 1'000'000)); });
  auto modest = begin_here([&] { limiter.acquire(); });
  timed.join();
  greedy.cancel();
  EXPECT_TRUE(ended_cancelled(greedy));
  modest.join();
}

WEFT_TEST(rate_limiter, keeps_its_rate_with_many_that_compete) {
  weft::rate_limiter limiter({.permits = 3, .per = 100us, .burst = 3});
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<int> taken{0};
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 6; ++i) {
    crew.push_back(weft::spawn([&] {
      for (int k = 0; k < 10; ++k) {
        limiter.acquire();
        ++taken;
      }
    }));
  }
  for (auto& each : crew) each.join();
  // 60 permits, 3 of them saved up: 19 times 100 us.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1900us - 1us);
  EXPECT_EQ(taken, 60);
}

WEFT_TEST(rate_limiter, names_what_cannot_be) {
  EXPECT_EQ(error_of([] { weft::rate_limiter({.permits = 0}); }), std::errc::invalid_argument);
  EXPECT_EQ(error_of([] { weft::rate_limiter({.permits = 1, .per = 0s}); }), std::errc::invalid_argument);
  EXPECT_EQ(error_of([] { weft::rate_limiter({.permits = 1, .per = 1s, .burst = 0}); }), std::errc::invalid_argument);
  EXPECT_EQ(error_of([] { weft::rate_limiter({.permits = 1, .per = 24h, .burst = 1'000'000}); }),
            std::errc::invalid_argument);
  weft::rate_limiter limiter({.permits = 1, .per = 1s, .burst = 2});
  EXPECT_TRUE(contains(message_of([&] { limiter.acquire(3); }), "3 permits wanted, with a burst of 2"));
  EXPECT_EQ(error_of([&] { limiter.try_acquire(3); }), std::errc::invalid_argument);
}

TEST(rate_limiter, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               auto limiter = std::make_unique<weft::rate_limiter>(weft::rate_limit{1, 1h, 1});
               const weft::pin_guard stay;
               limiter->acquire();
               auto waits = begin_here([&] { limiter->acquire(); });
               limiter.reset();
             }),
             "rate_limiter is destroyed while it is waited for");
}
