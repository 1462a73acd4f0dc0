// Counting down: latches and wait groups.
#include "support/waiting.h"

#include <memory>

using namespace weft_test;

WEFT_TEST(latch, opens_at_zero_for_all) {
  weft::latch done(10);
  std::vector<int> results(10);
  std::vector<weft::fiber<void>> crew;
  for (std::size_t i = 0; i < 10; ++i) {
    crew.push_back(weft::spawn([&, i] {
      if (i % 3 == 0) weft::this_fiber::yield();
      results[i] = 1;
      done.count_down();
    }));
  }
  std::thread outside([&] { done.wait(); });
  done.wait();
  for (const int each : results) EXPECT_EQ(each, 1);
  EXPECT_TRUE(done.try_wait());
  outside.join();
  for (auto& each : crew) each.join();
}

WEFT_TEST(latch, of_zero_is_open) {
  weft::latch open(0);
  EXPECT_TRUE(open.try_wait());
  open.wait();
  weft::latch two(2);
  two.count_down(0);
  EXPECT_FALSE(two.try_wait());
  two.arrive_and_wait(2);
  EXPECT_TRUE(two.wait_for(-1h));
}

WEFT_TEST_EACH_REACTOR(latch, gives_up_at_the_deadline) {
  weft::latch done(2);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(done.wait_for(2ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
  EXPECT_FALSE(done.wait_until(begin));
  done.count_down();
  on_plain_thread([&] { EXPECT_FALSE(done.wait_for(1ms)); });
}

WEFT_TEST(latch, a_cancelled_arrival_has_counted) {
  const weft::pin_guard stay;
  weft::latch both(2);
  auto cancelled = begin_here([&] { both.arrive_and_wait(); });
  cancelled.cancel();
  EXPECT_TRUE(ended_cancelled(cancelled));
  EXPECT_FALSE(both.try_wait());
  both.arrive_and_wait();
}

WEFT_TEST(latch, refuses_to_go_below_zero) {
  weft::latch done(2);
  EXPECT_TRUE(contains(message_of([&] { done.count_down(3); }), "weft::latch: counted down by 3 from 2, below zero"));
  done.count_down(2);
  EXPECT_EQ(error_of([&] { done.count_down(); }), std::errc::invalid_argument);
  EXPECT_EQ(error_of([] { weft::latch(weft::latch::max() + 1); }), std::errc::invalid_argument);
}

WEFT_TEST(latch, may_be_destroyed_as_soon_as_its_wait_returns) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto done = std::make_unique<weft::latch>(2);
    auto last = weft::spawn([&done] {
      done->wait();
      done.reset();
    });
    auto other = weft::spawn([latch = done.get()] { latch->count_down(); });
    if (i % 2 == 0) weft::this_fiber::yield();
    done->count_down();
    last.join();
    other.join();
  }
}

WEFT_TEST(latch, is_left_alone_by_the_last_that_arrives) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto done = std::make_unique<weft::latch>(1);
    weft::latch& same = *done;
    auto waits = weft::spawn([&done] {
      done->wait();
      done.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    same.arrive_and_wait();
    waits.join();
  }
}

TEST(latch, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               auto done = std::make_unique<weft::latch>(1);
               const weft::pin_guard stay;
               auto waits = begin_here([&] { done->wait(); });
               done.reset();
             }),
             "latch is destroyed while it is waited for");
}

WEFT_TEST(wait_group, waits_for_all_that_was_added_and_may_be_used_again) {
  weft::wait_group crew;
  std::atomic<int> done{0};
  crew.wait();
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 8; ++i) {
      crew.add();
      weft::spawn([&, i] {
        if (i % 2 == 0) weft::this_fiber::yield();
        ++done;
        crew.done();
      }).detach();
    }
    crew.wait();
    EXPECT_EQ(done, 8 * round);
    EXPECT_EQ(crew.count(), 0u);
  }
}

WEFT_TEST(wait_group, lets_those_go_on_that_waited_even_if_more_is_added) {
  const weft::pin_guard stay;
  weft::wait_group crew(1);
  auto waits = begin_here([&] { return crew.wait_for(long_enough); });
  crew.done();
  crew.add(5);
  EXPECT_TRUE(waits.join());
  EXPECT_FALSE(crew.wait_for(1ms));
  crew.done(5);
  EXPECT_TRUE(crew.wait_for(0s));
}

WEFT_TEST(wait_group, a_cancelled_wait_changes_nothing) {
  const weft::pin_guard stay;
  weft::wait_group crew(1);
  auto cancelled = begin_here([&] { crew.wait(); });
  auto waits = begin_here([&] { crew.wait(); });
  cancelled.cancel();
  EXPECT_TRUE(ended_cancelled(cancelled));
  on_plain_thread([&] { crew.done(); });
  waits.join();
}

WEFT_TEST(wait_group, refuses_to_go_below_zero) {
  weft::wait_group crew;
  EXPECT_TRUE(contains(message_of([&] { crew.done(); }), "weft::wait_group: counted down by 1 from 0, below zero"));
  crew.add(weft::latch::max());
  EXPECT_EQ(error_of([&] { crew.add(); }), std::errc::value_too_large);
}

WEFT_TEST(wait_group, may_be_destroyed_as_soon_as_its_wait_returns) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto crew = std::make_unique<weft::wait_group>(1);
    auto last = weft::spawn([&crew] {
      crew->wait();
      crew.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    crew->done();
    last.join();
  }
}
