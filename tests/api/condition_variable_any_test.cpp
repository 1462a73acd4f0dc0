// Condition variables for locks of any kind.
#include "support/waiting.h"

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>

using namespace weft_test;

WEFT_TEST(condition_variable_any, notify_one_wakes_one_and_notify_all_the_rest) {
  weft::shared_mutex gate;
  weft::condition_variable_any told;
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
    const std::shared_lock hold(gate);
    return what;
  };
  ASSERT_TRUE(yield_until([&] { return count(waiting) == 10; }));
  const auto give = [&](std::size_t n) {
    const std::unique_lock hold(gate);
    tickets += n;
  };
  give(1);
  told.notify_one();
  ASSERT_TRUE(yield_until([&] { return count(through) == 1; }));
  give(9);
  told.notify_all();
  for (auto& each : crew) each.join();
  EXPECT_EQ(through, 10u);
}

WEFT_TEST(condition_variable_any, waits_with_readers_locks_and_bare_mutexes) {
  weft::shared_mutex gate;
  weft::recursive_mutex bare;
  weft::condition_variable_any told;
  std::atomic<bool> is_told{false};
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 3; ++i) {
    crew.push_back(weft::spawn([&] {
      std::shared_lock lock(gate);
      EXPECT_TRUE(told.wait_for(lock, long_enough, [&] { return is_told.load(); }));
      EXPECT_TRUE(lock.owns_lock());
    }));
  }
  crew.push_back(weft::spawn([&] {
    bare.lock();
    told.wait(bare, [&] { return is_told.load(); });
    bare.unlock();
  }));
  std::thread outside([&] {
    std::shared_lock lock(gate);
    told.wait(lock, [&] { return is_told.load(); });
  });
  weft::this_fiber::yield();
  {
    const std::scoped_lock hold(gate, bare);
    is_told = true;
    told.notify_all();
  }
  for (auto& each : crew) each.join();
  outside.join();
}

// Whose unlock throws once it was notified is out of line already, and the condition variable may be gone.
WEFT_TEST(condition_variable_any, may_go_when_an_unlock_throws_after_the_notification) {
  struct lock_that_throws {
    std::unique_ptr<weft::condition_variable_any>& told;
    void lock() {}
    void unlock() {
      told->notify_all();
      told.reset();
      throw std::domain_error("unlock");
    }
  };
  auto told = std::make_unique<weft::condition_variable_any>();
  weft::condition_variable_any& waited_for = *told;
  lock_that_throws lock{told};
  EXPECT_THROW(waited_for.wait(lock), std::domain_error);
}

WEFT_TEST_EACH_REACTOR(condition_variable_any, gives_up_at_the_deadline_with_the_lock_held) {
  weft::mutex gate;
  weft::condition_variable_any never_told;
  std::unique_lock lock(gate);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(never_told.wait_for(lock, 2ms), std::cv_status::timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
  EXPECT_TRUE(lock.owns_lock());
  EXPECT_FALSE(never_told.wait_until(lock, begin, [] { return false; }));
}

WEFT_TEST(condition_variable_any, a_cancelled_wait_holds_the_lock_and_loses_no_notification) {
  const weft::pin_guard stay;
  weft::mutex gate;
  weft::condition_variable_any told;
  bool had_lock = false;
  auto cancelled = begin_here([&] {
    std::unique_lock lock(gate);
    try {
      told.wait(lock);
    } catch (const weft::cancelled&) {
      had_lock = lock.owns_lock() && !gate.try_lock();
      throw;
    }
  });
  auto other = begin_here([&] {
    std::unique_lock lock(gate);
    EXPECT_EQ(told.wait_for(lock, long_enough), std::cv_status::no_timeout);
  });
  cancelled.cancel();
  told.notify_one();
  EXPECT_TRUE(ended_cancelled(cancelled));
  EXPECT_TRUE(had_lock);
  other.join();
}

WEFT_TEST(condition_variable_any, bears_a_lock_that_waits_or_throws_when_it_unlocks) {
  struct odd_lock {
    weft::mutex& gate;
    weft::condition_variable_any* told_early = nullptr;
    bool throws = false;
    void lock() { gate.lock(); }
    void unlock() {
      if (throws) throw std::runtime_error("unlock");
      gate.unlock();
      weft::this_fiber::yield();
      if (told_early != nullptr) told_early->notify_one();
    }
  };
  weft::mutex gate;
  auto told = std::make_unique<weft::condition_variable_any>();
  odd_lock early{gate, told.get()};
  gate.lock();
  EXPECT_EQ(told->wait_for(early, long_enough), std::cv_status::no_timeout);
  odd_lock broken{gate, nullptr, true};
  EXPECT_THROW(told->wait(broken), std::runtime_error);
  told.reset();
  gate.unlock();
}

WEFT_TEST(condition_variable_any, may_be_destroyed_once_all_are_notified) {
  for (std::size_t i = 0; i < repeated(500, 50); ++i) {
    weft::mutex gate;
    auto told = std::make_unique<weft::condition_variable_any>();
    int waiting = 0;
    bool done = false;
    const auto wait = [&] {
      std::unique_lock lock(gate);
      ++waiting;
      told->wait(lock, [&] { return done; });
    };
    auto one = weft::spawn(wait);
    auto two = weft::spawn(wait);
    ASSERT_TRUE(yield_until([&] {
      const std::lock_guard hold(gate);
      return waiting == 2;
    }));
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

TEST(condition_variable_any, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               weft::mutex gate;
               auto told = std::make_unique<weft::condition_variable_any>();
               const weft::pin_guard stay;
               auto waits = begin_here([&] {
                 std::unique_lock lock(gate);
                 told->wait(lock);
               });
               told.reset();
             }),
             "condition variable is destroyed while it is waited for");
}
