// What asyncio's own tests settle about locks, semaphores, conditions and queues under cancellation, as weft programs.
#include "support/waiting.h"
#include "support/with_cores.h"

#include <string>
#include <vector>

using namespace weft_test;

// The first in line is cancelled after the lock was released to it: the next one gets it.
WEFT_TEST(asyncio_lock, is_not_lost_with_a_waiter_that_is_cancelled_as_it_is_woken) {
  const weft::pin_guard stay;
  weft::mutex lock;
  lock.lock();
  auto first = begin_here([&] { const std::lock_guard hold(lock); });
  auto second = begin_here([&] { const std::lock_guard hold(lock); });
  lock.unlock();
  first.cancel();
  second.join();
  static_cast<void>(ended_cancelled(first));  // Or it had the lock already.
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

WEFT_TEST(asyncio_lock, goes_on_where_one_in_the_middle_is_cancelled) {
  const weft::pin_guard stay;
  weft::mutex lock;
  lock.lock();
  std::string order;
  const auto enter = [&](char name) {
    return begin_here([&, name] {
      const std::lock_guard hold(lock);
      order += name;
    });
  };
  auto a = enter('a');
  auto b = enter('b');
  auto c = enter('c');
  b.cancel();
  EXPECT_TRUE(ended_cancelled(b));
  lock.unlock();
  a.join();
  c.join();
  EXPECT_EQ(order, "ac");
}

// A permit that is released while the first in line is cancelled goes to the second, and none is made or lost.
WEFT_TEST(asyncio_semaphore, keeps_its_count_over_cancelled_waiters) {
  const weft::pin_guard stay;
  weft::semaphore gate(1);
  gate.acquire();
  auto first = begin_here([&] { gate.acquire(); });
  auto second = begin_here([&] { gate.acquire(); });
  first.cancel();
  gate.release();
  second.join();
  EXPECT_TRUE(ended_cancelled(first));
  EXPECT_FALSE(gate.try_acquire());
  gate.release();
  EXPECT_TRUE(gate.try_acquire());
}

WEFT_TEST(asyncio_condition, comes_back_with_the_lock_when_it_is_cancelled) {
  const weft::pin_guard stay;
  weft::mutex lock;
  weft::condition_variable told;
  bool held_in_handler = false;
  auto waiter = begin_here([&] {
    std::unique_lock hold(lock);
    try {
      told.wait(hold);
    } catch (const weft::cancelled&) {
      held_in_handler = hold.owns_lock() && !lock.try_lock();
      throw;
    }
  });
  waiter.cancel();
  EXPECT_TRUE(ended_cancelled(waiter));
  EXPECT_TRUE(held_in_handler);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

WEFT_TEST(asyncio_queue, keeps_the_item_that_a_cancelled_getter_did_not_take) {
  const weft::pin_guard stay;
  weft::channel<int> queue(1);
  auto getter = begin_here([&] { return queue.receive(); });
  getter.cancel();
  EXPECT_TRUE(ended_cancelled(getter));
  queue.send(7);
  EXPECT_EQ(queue.try_receive(), 7);
}

WEFT_TEST(asyncio_queue, does_not_hold_what_a_cancelled_putter_wanted_to_put) {
  const weft::pin_guard stay;
  weft::channel<int> queue(1);
  queue.send(1);
  auto first = begin_here([&] { queue.send(2); });
  auto second = begin_here([&] { queue.send(3); });
  first.cancel();
  EXPECT_TRUE(ended_cancelled(first));
  EXPECT_EQ(queue.receive(), 1);
  EXPECT_EQ(queue.receive(), 3);
  second.join();
  EXPECT_EQ(queue.try_receive(), std::nullopt);
}

WEFT_TEST(asyncio_queue, is_joined_once_every_item_is_done) {
  const weft::pin_guard stay;
  weft::channel<int> queue(8);
  for (int i = 0; i < 3; ++i) queue.send(int{i});
  auto joiner = begin_here([&] { queue.join(); });
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(joiner.done());
    EXPECT_EQ(queue.receive(), i);
    queue.task_done();
  }
  joiner.join();
  EXPECT_THROW(queue.task_done(), std::system_error) << "called more often than there were items";
}

WEFT_TEST(asyncio_queue, shut_down_lets_getters_drain_it_and_wakes_the_rest) {
  const weft::pin_guard stay;
  weft::channel<int> queue(1);
  queue.send(1);
  auto putter = begin_here([&] { queue.send(2); });
  queue.close();
  EXPECT_THROW(putter.join(), weft::channel_closed);
  EXPECT_EQ(queue.receive(), 1);
  EXPECT_EQ(queue.receive(), std::nullopt);
  EXPECT_THROW(queue.send(3), weft::channel_closed);
}

WEFT_TEST(asyncio_queue, shut_down_at_once_drops_what_is_in_it_and_ends_joins) {
  const weft::pin_guard stay;
  weft::channel<int> queue(4);
  queue.send(1);
  queue.send(2);
  auto joiner = begin_here([&] { queue.join(); });
  EXPECT_FALSE(joiner.done());
  EXPECT_EQ(queue.close_now(), 2u);
  joiner.join();
  EXPECT_EQ(queue.receive(), std::nullopt);
}

WEFT_TEST(asyncio_priority_queue, gives_the_most_urgent_first_and_waiters_in_turn) {
  const weft::pin_guard stay;
  weft::priority_channel<int> queue(8);
  std::vector<int> got;
  auto first = begin_here([&] { got.push_back(*queue.receive()); });
  queue.send(5);
  first.join();
  for (const int each : {2, 9, 4}) queue.send(int{each});
  for (int i = 0; i < 3; ++i) got.push_back(*queue.receive());
  EXPECT_EQ(got, (std::vector<int>{5, 9, 4, 2}));
}
