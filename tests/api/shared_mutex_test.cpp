// Readers and writers.
#include "support/waiting.h"

#include <memory>
#include <mutex>
#include <shared_mutex>

using namespace weft_test;

WEFT_TEST(shared_mutex, lets_readers_in_together_and_writers_alone) {
  weft::shared_mutex gate;
  std::atomic<int> readers{0}, writers{0};
  std::size_t value = 0;
  bool overlapped = false;
  const std::size_t rounds = repeated(300, 60);
  const auto work = [&](std::size_t me) {
    for (std::size_t i = 0; i < rounds; ++i) {
      if ((i + me) % 4 == 0) {
        const std::unique_lock hold(gate);
        if (++writers != 1 || readers != 0) overlapped = true;
        ++value;
        if (i % 16 == 0) weft::this_fiber::yield();
        --writers;
      } else {
        const std::shared_lock hold(gate);
        ++readers;
        if (writers != 0) overlapped = true;
        if (i % 16 == 1) weft::this_fiber::yield();
        --readers;
      }
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (std::size_t i = 0; i < 7; ++i) crew.push_back(weft::spawn(work, i));
  std::thread outside(work, 7);
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(value, 8 * rounds / 4);
}

WEFT_TEST(shared_mutex, works_with_the_standard_guards) {
  weft::shared_mutex first, second;
  {
    const std::scoped_lock both(first, second);
    EXPECT_FALSE(weft::spawn([&] { return first.try_lock_shared() || second.try_lock(); }).join());
  }
  std::shared_lock reader(first, 1ms);
  EXPECT_TRUE(reader.owns_lock());
  EXPECT_TRUE(first.try_lock_shared());
  std::unique_lock writer(first, std::chrono::steady_clock::now() + 1ms);
  EXPECT_FALSE(writer.owns_lock());
  first.unlock_shared();
}

WEFT_TEST(shared_mutex, a_waiting_writer_holds_new_readers_off) {
  const weft::pin_guard stay;
  weft::shared_mutex gate;
  std::vector<char> order;
  gate.lock_shared();
  auto writer = begin_here([&] {
    const std::unique_lock hold(gate);
    order.push_back('w');
  });
  EXPECT_FALSE(gate.try_lock_shared());
  auto reader = begin_here([&] {
    const std::shared_lock hold(gate);
    order.push_back('r');
  });
  gate.unlock_shared();
  writer.join();
  reader.join();
  EXPECT_EQ(order, (std::vector<char>{'w', 'r'}));
}

WEFT_TEST(shared_mutex, readers_and_writers_take_turns) {
  const weft::pin_guard stay;
  weft::shared_mutex gate;
  std::vector<char> order;
  gate.lock();
  const auto write = [&] {
    const std::unique_lock hold(gate);
    order.push_back('w');
  };
  const auto read = [&] {
    const std::shared_lock hold(gate);
    order.push_back('r');
  };
  std::vector<weft::fiber<void>> crew;
  crew.push_back(begin_here(write));
  crew.push_back(begin_here(write));
  crew.push_back(begin_here(read));
  crew.push_back(begin_here(read));
  gate.unlock();
  for (auto& each : crew) each.join();
  EXPECT_EQ(order, (std::vector<char>{'r', 'r', 'w', 'w'}));
}

WEFT_TEST(shared_mutex, lets_readers_in_when_the_writer_before_them_gives_up) {
  const weft::pin_guard stay;
  weft::shared_mutex gate;
  gate.lock_shared();
  auto timed = begin_here([&] { EXPECT_FALSE(gate.try_lock_for(2ms)); });
  auto first = begin_here([&] { const std::shared_lock hold(gate); });
  timed.join();
  first.join();
  auto cancelled = begin_here([&] { const std::unique_lock hold(gate); });
  auto second = begin_here([&] { const std::shared_lock hold(gate); });
  cancelled.cancel();
  EXPECT_TRUE(ended_cancelled(cancelled));
  second.join();
  gate.unlock_shared();
  EXPECT_TRUE(gate.try_lock());
  gate.unlock();
}

WEFT_TEST_EACH_REACTOR(shared_mutex, gives_up_at_the_deadline) {
  weft::shared_mutex gate;
  const std::unique_lock hold(gate);
  auto f = weft::spawn([&] {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(gate.try_lock_for(1ms));
    EXPECT_FALSE(gate.try_lock_shared_for(1ms));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
    EXPECT_FALSE(gate.try_lock_until(begin));
    EXPECT_FALSE(gate.try_lock_shared_until(begin));
  });
  f.join();
  on_plain_thread([&] {
    EXPECT_FALSE(gate.try_lock_for(1ms));
    EXPECT_FALSE(gate.try_lock_shared_for(1ms));
  });
}

WEFT_TEST(shared_mutex, is_not_lost_where_waiters_give_up) {
  weft::shared_mutex gate;
  std::vector<weft::fiber<void>> crew;
  for (std::size_t i = 0; i < 16; ++i) {
    crew.push_back(weft::spawn([&, i] {
      for (std::size_t k = 0; k < repeated(100, 20); ++k) {
        const auto patience = std::chrono::microseconds((i * 31 + k * 17) % 100);
        if ((i + k) % 3 == 0) {
          if (!gate.try_lock_for(patience)) continue;
          if (k % 8 == 0) weft::this_fiber::yield();
          gate.unlock();
        } else {
          if (!gate.try_lock_shared_for(patience)) continue;
          if (k % 8 == 0) weft::this_fiber::yield();
          gate.unlock_shared();
        }
      }
    }));
  }
  for (auto& each : crew) each.join();
  EXPECT_TRUE(gate.try_lock());
  gate.unlock();
}

WEFT_TEST(shared_mutex, refuses_misuse) {
  weft::shared_mutex gate;
  EXPECT_EQ(error_of([&] { gate.unlock(); }), std::errc::operation_not_permitted);
  EXPECT_EQ(error_of([&] { gate.unlock_shared(); }), std::errc::operation_not_permitted);
  gate.lock();
  EXPECT_EQ(error_of([&] { gate.lock(); }), std::errc::resource_deadlock_would_occur);
  EXPECT_EQ(error_of([&] { gate.lock_shared(); }), std::errc::resource_deadlock_would_occur);
  EXPECT_EQ(error_of([&] { gate.unlock_shared(); }), std::errc::operation_not_permitted);
  EXPECT_EQ(error_of([&] { weft::spawn([&] { gate.unlock(); }).join(); }), std::errc::operation_not_permitted);
  on_plain_thread([&] { EXPECT_EQ(error_of([&] { gate.unlock(); }), std::errc::operation_not_permitted); });
  gate.unlock();
  gate.lock_shared();
  EXPECT_EQ(error_of([&] { gate.unlock(); }), std::errc::operation_not_permitted);
  gate.unlock_shared();
}

WEFT_TEST(shared_mutex, may_be_destroyed_by_its_next_owner) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto gate = std::make_unique<weft::shared_mutex>();
    i % 3 == 0 ? gate->lock_shared() : gate->lock();
    auto last = weft::spawn([&gate, i] {
      if (i % 2 == 0 || i % 3 == 0) {
        gate->lock();
        gate->unlock();
      } else {
        gate->lock_shared();
        gate->unlock_shared();
      }
      gate.reset();
    });
    if (i % 4 == 0) weft::this_fiber::yield();
    i % 3 == 0 ? gate->unlock_shared() : gate->unlock();
    last.join();
  }
}

TEST(shared_mutex, destroyed_while_locked_ends_the_program) {
  EXPECT_END(
      {
        weft::shared_mutex gate;
        gate.lock_shared();
      },
      "shared_mutex is destroyed while it is locked");
}
