// Events of both kinds.
#include "support/waiting.h"

#include <memory>

using namespace weft_test;

// --- event -----------------------------------------------------------------------------------------------------------

WEFT_TEST(event, lets_all_through_once_it_is_set) {
  weft::event ready;
  std::atomic<int> through{0};
  int prepared = 0;
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 10; ++i) {
    crew.push_back(weft::spawn([&] {
      ready.wait();
      EXPECT_EQ(prepared, 42);
      ++through;
    }));
  }
  std::thread outside([&] {
    ready.wait();
    ++through;
  });
  weft::this_fiber::yield();
  EXPECT_EQ(through, 0);
  prepared = 42;
  ready.set();
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_EQ(through, 11);
  EXPECT_TRUE(ready.is_set());
  ready.wait();
  EXPECT_TRUE(ready.wait_for(-1h));
}

WEFT_TEST(event, wakes_those_that_wait_even_if_it_is_cleared_at_once) {
  const weft::pin_guard stay;
  weft::event pulse;
  auto waits = begin_here([&] { return pulse.wait_for(long_enough); });
  pulse.set();
  pulse.clear();
  EXPECT_TRUE(waits.join());
  EXPECT_FALSE(pulse.is_set());
  EXPECT_FALSE(pulse.wait_for(100us));
  pulse.clear();
}

WEFT_TEST_EACH_REACTOR(event, gives_up_at_the_deadline) {
  weft::event never;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(never.wait_for(2ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
  EXPECT_FALSE(never.wait_until(begin));
  on_plain_thread([&] { EXPECT_FALSE(never.wait_for(1ms)); });
}

WEFT_TEST(event, a_cancelled_wait_leaves_the_others) {
  const weft::pin_guard stay;
  weft::event ready;
  auto first = begin_here([&] { ready.wait(); });
  auto second = begin_here([&] { ready.wait(); });
  first.cancel();
  EXPECT_TRUE(ended_cancelled(first));
  ready.set();
  second.join();
}

WEFT_TEST(event, may_be_destroyed_as_soon_as_its_wait_returns) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto ready = std::make_unique<weft::event>();
    auto last = weft::spawn([&ready] {
      ready->wait();
      ready.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    ready->set();
    last.join();
  }
}

WEFT_TEST(event, may_be_destroyed_by_a_plain_thread_as_soon_as_its_wait_returns) {
  for (std::size_t i = 0; i < repeated(200, 30); ++i) {
    auto ready = std::make_unique<weft::event>();
    std::thread last([&ready] {
      ready->wait();
      ready.reset();
    });
    ready->set();
    last.join();
  }
}

TEST(event, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               auto ready = std::make_unique<weft::event>();
               const weft::pin_guard stay;
               auto waits = begin_here([&] { ready->wait(); });
               ready.reset();
             }),
             "event is destroyed while it is waited for");
}

// --- auto_reset_event ------------------------------------------------------------------------------------------------

WEFT_TEST(auto_reset_event, lets_one_through_for_each_set_in_order) {
  const weft::pin_guard stay;
  weft::auto_reset_event turn;
  std::vector<int> order;
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) {
    crew.push_back(begin_here([&, i] {
      turn.wait();
      order.push_back(i);
    }));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    turn.set();
    ASSERT_TRUE(yield_until([&] { return order.size() == i + 1; }));
    EXPECT_FALSE(turn.is_set());
  }
  for (auto& each : crew) each.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

WEFT_TEST(auto_reset_event, remembers_one_set) {
  weft::auto_reset_event turn(true);
  turn.set();
  EXPECT_TRUE(turn.is_set());
  EXPECT_TRUE(turn.try_wait());
  EXPECT_FALSE(turn.try_wait());
  EXPECT_FALSE(turn.wait_for(100us));
  turn.set();
  turn.clear();
  EXPECT_FALSE(turn.wait_for(0s));
}

WEFT_TEST(auto_reset_event, loses_no_set_to_a_wait_that_gives_up) {
  for (std::size_t i = 0; i < repeated(300, 50); ++i) {
    weft::auto_reset_event turn;
    std::atomic<int> through{0};
    auto one = weft::spawn([&] {
      turn.wait();
      ++through;
    });
    auto two = weft::spawn([&, i] { through += turn.wait_for(std::chrono::microseconds(i % 50)) ? 1 : 0; });
    if (i % 2 == 0) weft::this_fiber::yield();
    turn.set();
    one.cancel();
    two.join();
    ended_cancelled(one);
    ASSERT_EQ(through + (turn.is_set() ? 1 : 0), 1);
  }
}

WEFT_TEST(auto_reset_event, excludes_like_a_lock) {
  weft::auto_reset_event turn(true);
  std::size_t count = 0;
  const std::size_t rounds = repeated(500, 100);
  const auto work = [&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      turn.wait();
      ++count;
      turn.set();
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) crew.push_back(weft::spawn(work));
  std::thread outside(work);
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_EQ(count, 5 * rounds);
}

WEFT_TEST(auto_reset_event, may_be_destroyed_as_soon_as_its_wait_returns) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto turn = std::make_unique<weft::auto_reset_event>();
    auto last = weft::spawn([&turn] {
      turn->wait();
      turn.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    turn->set();
    last.join();
  }
}

TEST(auto_reset_event, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               auto turn = std::make_unique<weft::auto_reset_event>();
               const weft::pin_guard stay;
               auto waits = begin_here([&] { turn->wait(); });
               turn.reset();
             }),
             "event is destroyed while it is waited for");
}
