// mutex and condition_variable, between fibers, between plain threads, and between both.
#include "support/waiting.h"
#include "support/with_cores.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

using namespace weft_test;

namespace {

template <class Call>
std::error_code code_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

}  // namespace

// --- mutex ---------------------------------------------------------------------------------------------------------------

WEFT_TEST(mutex, excludes_fibers_and_plain_threads) {
  weft::mutex gate;
  std::size_t count = 0;  // Plain on purpose: the mutex is what orders it.
  std::atomic<int> inside{0};
  bool overlapped = false;
  const std::size_t rounds = repeated(2'000, 200);
  const auto work = [&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      const std::lock_guard hold(gate);
      if (++inside != 1) overlapped = true;
      ++count;
      if (i % 64 == 0) weft::this_fiber::yield();
      --inside;
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 6; ++i) crew.push_back(weft::spawn(work));
  std::thread first(work), second(work);
  for (auto& each : crew) each.join();
  first.join();
  second.join();
  EXPECT_EQ(count, 8 * rounds);
  EXPECT_FALSE(overlapped);
}

WEFT_TEST(mutex, try_lock_takes_only_what_is_free) {
  weft::mutex gate;
  ASSERT_TRUE(gate.try_lock());
  EXPECT_FALSE(gate.try_lock());
  EXPECT_FALSE(weft::spawn([&] { return gate.try_lock(); }).join());
  gate.unlock();
  EXPECT_TRUE(weft::spawn([&] {
                const bool got = gate.try_lock();
                if (got) gate.unlock();
                return got;
              }).join());
}

WEFT_TEST_EACH_REACTOR(mutex, gives_up_at_the_deadline) {
  weft::mutex gate;
  gate.lock();
  auto f = weft::spawn([&] {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(gate.try_lock_for(2ms));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
    EXPECT_FALSE(gate.try_lock_for(0ms));
    EXPECT_FALSE(gate.try_lock_for(-1h));
    EXPECT_FALSE(gate.try_lock_until(std::chrono::steady_clock::now() - 1s));
  });
  f.join();
  auto patient = weft::spawn([&] {
    const bool got = gate.try_lock_for(long_enough);
    if (got) gate.unlock();
    return got;
  });
  for (int i = 0; i < 5; ++i) weft::this_fiber::yield();
  gate.unlock();
  EXPECT_TRUE(patient.join());
  EXPECT_TRUE(gate.try_lock_for(-1h));
  gate.unlock();
}

WEFT_TEST(mutex, refuses_misuse) {
  weft::mutex gate;
  EXPECT_EQ(code_of([&] { gate.unlock(); }), std::errc::operation_not_permitted);
  gate.lock();
  EXPECT_EQ(code_of([&] { gate.lock(); }), std::errc::resource_deadlock_would_occur);
  EXPECT_EQ(code_of([&] { static_cast<void>(gate.try_lock_for(1ms)); }), std::errc::resource_deadlock_would_occur);
  EXPECT_EQ(code_of([&] { weft::spawn([&] { gate.unlock(); }).join(); }), std::errc::operation_not_permitted);
  std::thread outside([&] { EXPECT_EQ(code_of([&] { gate.unlock(); }), std::errc::operation_not_permitted); });
  outside.join();
  gate.unlock();
}

WEFT_TEST(mutex, keeps_its_owner_over_suspensions) {
  weft::mutex gate;
  auto f = weft::spawn([&] {
    const std::lock_guard hold(gate);
    for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
    weft::this_fiber::sleep_for(100us);
  });
  f.join();
  EXPECT_TRUE(gate.try_lock());
  gate.unlock();
}

WEFT_TEST(mutex, may_be_destroyed_by_its_next_owner) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto gate = std::make_unique<weft::mutex>();
    gate->lock();
    auto last = weft::spawn([&gate] {
      gate->lock();
      gate->unlock();
      gate.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    gate->unlock();
    last.join();
  }
}

WEFT_TEST(mutex, is_not_lost_where_waiters_give_up) {
  weft::mutex gate;
  std::vector<weft::fiber<void>> crew;
  std::atomic<std::size_t> got{0};
  for (std::size_t i = 0; i < 20; ++i) {
    crew.push_back(weft::spawn([&, i] {
      for (std::size_t k = 0; k < repeated(200, 30); ++k) {
        if (gate.try_lock_for(std::chrono::microseconds((i * 31 + k * 17) % 200))) {
          ++got;
          if (k % 8 == 0) weft::this_fiber::yield();
          gate.unlock();
        }
      }
    }));
  }
  for (auto& each : crew) each.join();
  EXPECT_TRUE(gate.try_lock());
  gate.unlock();
  EXPECT_GT(got, 0u);
}

// The owner comes back at once each time, before the waiter, which it has woken, can look.
WEFT_TEST(mutex, is_handed_to_who_was_overtaken_often) {
  const weft::pin_guard stay;
  weft::mutex gate;
  gate.lock();
  bool had_its_turn = false;
  auto waiter = begin_here([&] {
    const std::lock_guard hold(gate);
    had_its_turn = true;
  });
  int overtaken = 0;
  for (gate.unlock(); gate.try_lock(); gate.unlock()) {
    ASSERT_LT(++overtaken, 1000) << "it waits for ever";
    weft::this_fiber::yield();
  }
  EXPECT_FALSE(had_its_turn);
  waiter.join();
  EXPECT_TRUE(had_its_turn);
  if (!is_shuffled) {
    EXPECT_EQ(overtaken, 4);
  }
}

WEFT_TEST(mutex, wakes_nobody_else_before_the_woken_one_has_looked) {
  if (is_shuffled) return;  // Who runs when is what this counts.
  const weft::pin_guard stay;
  weft::mutex gate;
  gate.lock();
  std::vector<weft::fiber<void>> waiters;
  for (int i = 0; i < 8; ++i) waiters.push_back(begin_here([&] { const std::lock_guard hold(gate); }));
  for (int i = 0; i < 8; ++i) {
    gate.unlock();
    ASSERT_TRUE(gate.try_lock());
  }
  const auto switches = [] { return weft::statistics().cores[weft::this_fiber::core()].switches; };
  const auto before = switches();
  weft::this_fiber::yield();
  EXPECT_LE(switches() - before, 4u) << "to the one and back, and to the thread stack at most";
  gate.unlock();
  for (auto& each : waiters) each.join();
}

WEFT_TEST(mutex, goes_to_the_next_one_where_the_woken_one_is_cancelled) {
  const weft::pin_guard stay;
  weft::mutex gate;
  gate.lock();
  auto first = begin_here([&] { const std::lock_guard hold(gate); });
  auto second = begin_here([&] { const std::lock_guard hold(gate); });
  gate.unlock();
  ASSERT_TRUE(gate.try_lock());
  first.cancel();
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  gate.unlock();
  second.join();
  EXPECT_TRUE(ended_cancelled(first));
}

// --- condition_variable -------------------------------------------------------------------------------------------------

WEFT_TEST(condition_variable, notify_one_wakes_one_and_notify_all_the_rest) {
  weft::mutex gate;
  weft::condition_variable told;
  std::size_t waiting = 0, tickets = 0, through = 0;
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 10; ++i) {
    crew.push_back(weft::spawn([&] {
      std::unique_lock lock(gate);
      ++waiting;
      told.wait(lock, [&] { return tickets > 0; });
      --tickets;
      ++through;
    }));
  }
  const auto count = [&](std::size_t& what) {
    const std::lock_guard hold(gate);
    return what;
  };
  ASSERT_TRUE(yield_until([&] { return count(waiting) == 10; }));
  for (std::size_t i = 1; i <= 3; ++i) {
    {
      const std::lock_guard hold(gate);
      ++tickets;
    }
    told.notify_one();
    ASSERT_TRUE(yield_until([&] { return count(through) == i; }));
  }
  {
    const std::lock_guard hold(gate);
    tickets = 7;
  }
  told.notify_all();
  for (auto& each : crew) each.join();
  EXPECT_EQ(through, 10u);
}

WEFT_TEST(condition_variable, notified_without_waiters_remembers_nothing) {
  weft::mutex gate;
  weft::condition_variable told;
  told.notify_one();
  told.notify_all();
  std::unique_lock lock(gate);
  EXPECT_EQ(told.wait_for(lock, 500us), std::cv_status::timeout);
  EXPECT_TRUE(lock.owns_lock());
}

WEFT_TEST_EACH_REACTOR(condition_variable, gives_up_at_the_deadline_with_the_lock_held) {
  weft::mutex gate;
  weft::condition_variable never_told;
  std::unique_lock lock(gate);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(never_told.wait_for(lock, 2ms), std::cv_status::timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
  EXPECT_FALSE(gate.try_lock());
  EXPECT_EQ(never_told.wait_until(lock, std::chrono::steady_clock::now() - 1s), std::cv_status::timeout);
  EXPECT_FALSE(never_told.wait_for(lock, 1ms, [] { return false; }));
  EXPECT_TRUE(never_told.wait_for(lock, 1ms, [] { return true; }));
}

WEFT_TEST(condition_variable, refuses_a_lock_that_is_not_held) {
  weft::mutex gate;
  weft::condition_variable told;
  std::unique_lock open(gate, std::defer_lock);
  EXPECT_EQ(code_of([&] { told.wait(open); }), std::errc::operation_not_permitted);
  std::unique_lock held(gate);
  EXPECT_EQ(code_of([&] { weft::spawn([&] { told.wait(held); }).join(); }), std::errc::operation_not_permitted);
}

WEFT_TEST(condition_variable, may_be_destroyed_once_all_are_notified) {
  for (std::size_t i = 0; i < repeated(500, 50); ++i) {
    weft::mutex gate;
    auto told = std::make_unique<weft::condition_variable>();
    int waiting = 0;
    bool done = false;
    const auto wait = [&] {
      std::unique_lock lock(gate);
      ++waiting;
      told->wait(lock, [&] { return done; });
    };
    auto one = weft::spawn(wait);
    auto two = weft::spawn(wait);
    yield_until([&] {
      const std::lock_guard hold(gate);
      return waiting == 2;
    });
    {
      const std::lock_guard hold(gate);
      done = true;
      told->notify_all();
      told.reset();
    }
    one.join();
    two.join();
  }
}

WEFT_TEST(condition_variable, carries_a_ball_between_a_fiber_and_a_plain_thread) {
  weft::mutex gate;
  weft::condition_variable moved;
  std::size_t ball = 0;
  const std::size_t rounds = repeated(1'000, 100);
  const auto play = [&](std::size_t parity) {
    for (std::size_t i = 0; i < rounds; ++i) {
      std::unique_lock lock(gate);
      moved.wait(lock, [&] { return ball % 2 == parity; });
      ++ball;
      moved.notify_one();
    }
  };
  std::thread outside([&] { play(1); });
  play(0);
  outside.join();
  EXPECT_EQ(ball, 2 * rounds);
}

WEFT_TEST(condition_variable, hands_work_from_many_to_many) {
  weft::mutex gate;
  weft::condition_variable filled, emptied;
  std::size_t stored = 0, taken = 0;
  const std::size_t each_makes = repeated(500, 100), makers = 8, capacity = 3;
  std::vector<weft::fiber<void>> crew;
  for (std::size_t i = 0; i < makers; ++i) {
    crew.push_back(weft::spawn([&] {
      for (std::size_t k = 0; k < each_makes; ++k) {
        std::unique_lock lock(gate);
        emptied.wait(lock, [&] { return stored < capacity; });
        ++stored;
        filled.notify_one();
      }
    }));
    crew.push_back(weft::spawn([&] {
      for (std::size_t k = 0; k < each_makes; ++k) {
        std::unique_lock lock(gate);
        filled.wait(lock, [&] { return stored > 0; });
        --stored;
        ++taken;
        emptied.notify_one();
      }
    }));
  }
  for (auto& each : crew) each.join();
  EXPECT_EQ(taken, makers * each_makes);
  EXPECT_EQ(stored, 0u);
}
