// Permits: how many, in which order, and that none is lost.
#include "support/waiting.h"

#include <memory>
#include <mutex>

using namespace weft_test;

WEFT_TEST(semaphore, lets_in_as_many_as_it_has_permits) {
  weft::semaphore gate(3);
  std::atomic<int> inside{0}, most{0};
  const auto work = [&] {
    for (std::size_t i = 0; i < repeated(300, 50); ++i) {
      const weft::semaphore_guard hold(gate);
      const int now = ++inside;
      int seen = most;
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      if (i % 8 == 0) weft::this_fiber::yield();
      --inside;
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 8; ++i) crew.push_back(weft::spawn(work));
  std::thread outside(work);
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(gate.available(), 3u);
}

WEFT_TEST(semaphore, takes_several_permits_at_once_or_none) {
  weft::semaphore gate(5);
  EXPECT_TRUE(gate.try_acquire(3));
  EXPECT_FALSE(gate.try_acquire(3));
  EXPECT_EQ(gate.available(), 2u);
  gate.release(4);
  gate.acquire(6);
  EXPECT_FALSE(gate.try_acquire());
  EXPECT_TRUE(gate.try_acquire(0));
}

WEFT_TEST(semaphore, serves_in_order_so_that_many_permits_come_together) {
  const weft::pin_guard stay;
  weft::semaphore gate(0);
  std::vector<int> order;
  auto many = begin_here([&] {
    gate.acquire(4);
    order.push_back(4);
  });
  auto few = begin_here([&] {
    gate.acquire(1);
    order.push_back(1);
  });
  for (int i = 0; i < 3; ++i) {
    gate.release();
    weft::this_fiber::yield();
    EXPECT_FALSE(gate.try_acquire()) << "nobody overtakes";
  }
  EXPECT_EQ(order, std::vector<int>{});
  gate.release(2);
  many.join();
  few.join();
  EXPECT_EQ(order.size(), 2u);
  EXPECT_EQ(gate.available(), 0u);
}

WEFT_TEST(semaphore, wakes_in_order_of_arrival) {
  const weft::pin_guard stay;
  weft::semaphore gate(0);
  std::vector<int> order;
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 5; ++i) {
    crew.push_back(begin_here([&, i] {
      gate.acquire();
      order.push_back(i);
    }));
  }
  for (std::size_t i = 0; i < 5; ++i) {
    gate.release();
    ASSERT_TRUE(yield_until([&] { return order.size() == i + 1; }));
  }
  for (auto& each : crew) each.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

WEFT_TEST(semaphore, serves_those_behind_one_that_gives_up) {
  const weft::pin_guard stay;
  weft::semaphore gate(1);
  auto greedy = begin_here([&] { EXPECT_FALSE(gate.try_acquire_for(2ms, 2)); });
  auto modest = begin_here([&] { EXPECT_TRUE(gate.try_acquire_for(long_enough)); });
  greedy.join();
  modest.join();
  gate.release();
  auto cancelled = begin_here([&] { gate.acquire(2); });
  auto next = begin_here([&] { EXPECT_TRUE(gate.try_acquire_for(long_enough)); });
  cancelled.cancel();
  EXPECT_TRUE(ended_cancelled(cancelled));
  next.join();
  EXPECT_EQ(gate.available(), 0u);
}

WEFT_TEST_EACH_REACTOR(semaphore, gives_up_at_the_deadline) {
  weft::semaphore gate(1);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(gate.try_acquire_for(2ms, 2));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
  EXPECT_FALSE(gate.try_acquire_until(begin, 2));
  EXPECT_FALSE(gate.try_acquire_for(-1h, 2));
  EXPECT_TRUE(gate.try_acquire_for(-1h, 1));
  on_plain_thread([&] { EXPECT_FALSE(gate.try_acquire_for(1ms)); });
}

// A release meets a cancellation: either the permit is taken, or it is still there.
WEFT_TEST(semaphore, loses_no_permit_to_a_cancelled_wait) {
  for (std::size_t i = 0; i < repeated(300, 50); ++i) {
    weft::semaphore gate(0);
    bool got = false;
    auto waits = weft::spawn([&] {
      gate.acquire();
      got = true;
    });
    if (i % 3 != 0) weft::this_fiber::yield();
    std::thread other;
    if (i % 8 == 0) {
      other = std::thread([&] { gate.release(); });
    } else {
      gate.release();
    }
    waits.cancel();
    ended_cancelled(waits);
    if (other.joinable()) other.join();
    ASSERT_EQ(gate.available(), got ? 0u : 1u);
  }
}

// A claimed wake is kept: the fiber has its permit although it was cancelled before it went on.
WEFT_TEST(semaphore, keeps_the_permit_that_came_before_the_cancellation) {
  const weft::pin_guard stay;
  weft::semaphore gate(0);
  bool got = false;
  auto waits = begin_here([&] {
    gate.acquire();
    got = true;
    weft::this_fiber::yield();
    ADD_FAILURE() << "the cancellation is still pending";
  });
  gate.release();
  waits.cancel();
  EXPECT_TRUE(ended_cancelled(waits));
  EXPECT_TRUE(got);
}

WEFT_TEST(semaphore, may_be_destroyed_as_soon_as_its_last_wait_returns) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto gate = std::make_unique<weft::semaphore>(0);
    auto last = weft::spawn([&gate] {
      gate->acquire(2);
      gate.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    gate->release(2);
    last.join();
  }
}

WEFT_TEST(semaphore, serves_plain_threads_and_fibers_alike) {
  weft::semaphore ping(0), pong(0);
  const std::size_t rounds = repeated(500, 100);
  auto fiber = weft::spawn([&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      ping.acquire();
      pong.release();
    }
  });
  on_plain_thread([&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      ping.release();
      EXPECT_TRUE(pong.try_acquire_for(long_enough));
    }
  });
  fiber.join();
}

WEFT_TEST(semaphore, names_what_cannot_be) {
  EXPECT_EQ(error_of([] { weft::semaphore(weft::semaphore::max() + 1); }), std::errc::invalid_argument);
  weft::semaphore full(weft::semaphore::max());
  EXPECT_EQ(error_of([&] { full.release(); }), std::errc::value_too_large);
  EXPECT_EQ(error_of([&] { full.acquire(weft::semaphore::max() + 1); }), std::errc::invalid_argument);
}

WEFT_TEST(bounded_semaphore, refuses_what_was_not_acquired) {
  weft::bounded_semaphore gate(2);
  EXPECT_TRUE(contains(message_of([&] { gate.release(); }),
                       "weft::bounded_semaphore::release: 1 permits given, 2 are free of at most 2"));
  gate.acquire();
  EXPECT_EQ(error_of([&] { gate.release(2); }), std::errc::value_too_large);
  EXPECT_EQ(gate.available(), 1u);
  gate.release();
  EXPECT_EQ(error_of([&] { gate.acquire(3); }), std::errc::invalid_argument);
  EXPECT_EQ(error_of([&] { gate.try_acquire_for(1h, 3); }), std::errc::invalid_argument);
}

TEST(semaphore, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               auto gate = std::make_unique<weft::semaphore>(0);
               const weft::pin_guard stay;
               auto waits = begin_here([&] { gate->acquire(); });
               gate.reset();
             }),
             "semaphore is destroyed while it is waited for \\(fiber");
}
