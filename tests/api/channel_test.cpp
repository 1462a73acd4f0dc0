// Channels between fibers, between plain threads, and between both.
#include "support/with_cores.h"

#include <atomic>
#include <memory>
#include <numeric>
#include <optional>
#include <string>

using namespace weft_test;

// --- Sending and receiving -----------------------------------------------------------------------------------------------

WEFT_TEST(channel, hands_values_over_in_order) {
  for (const std::size_t capacity : {0u, 1u, 3u, 100u}) {
    weft::channel<std::size_t> ch(capacity);
    const std::size_t count = repeated(3'000, 300);
    auto sender = weft::spawn([&] {
      for (std::size_t i = 0; i < count; ++i) ch.send(i);
      ch.close();
    });
    std::size_t expected = 0;
    for (const std::size_t value : ch) ASSERT_EQ(value, expected++);
    EXPECT_EQ(expected, count);
    sender.join();
  }
}

WEFT_TEST(channel, without_a_buffer_meets_its_receiver) {
  weft::channel<int> ch;
  EXPECT_EQ(ch.capacity(), 0u);
  EXPECT_FALSE(ch.try_send(1));
  EXPECT_FALSE(ch.send_for(1, 500us));
  EXPECT_FALSE(ch.try_receive().has_value());
  bool sent = false;
  auto sender = weft::spawn([&] {
    ch.send(7);
    sent = true;
  });
  EXPECT_EQ(ch.receive(), 7);
  sender.join();
  EXPECT_TRUE(sent);
  EXPECT_TRUE(ch.empty());
}

WEFT_TEST(channel, bounded_takes_as_much_as_it_holds) {
  weft::channel<int> ch(2);
  EXPECT_TRUE(ch.try_send(1));
  EXPECT_TRUE(ch.try_send(2));
  EXPECT_FALSE(ch.try_send(3));
  EXPECT_FALSE(ch.send_for(3, 0ms));
  EXPECT_EQ(ch.size(), 2u);
  EXPECT_EQ(ch.receive(), 1);
  EXPECT_TRUE(ch.try_send(3));
  EXPECT_EQ(ch.try_receive(), 2);
  EXPECT_EQ(ch.receive_for(long_enough), 3);
  EXPECT_TRUE(ch.empty());
}

WEFT_TEST(channel, unbounded_keeps_everything_in_order) {
  auto ch = weft::channel<std::string>::unbounded();
  const int count = 5'000;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < count; ++i) ch.send("number " + std::to_string(i));
    EXPECT_EQ(ch.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) ASSERT_EQ(ch.receive(), "number " + std::to_string(i));
    EXPECT_FALSE(ch.receive_for(1us).has_value());
  }
}

WEFT_TEST(channel, carries_what_can_only_be_moved) {
  weft::channel<std::unique_ptr<int>> ch(1);
  auto mine = std::make_unique<int>(1);
  ch.send(std::move(mine));
  EXPECT_EQ(mine, nullptr);
  auto kept = std::make_unique<int>(2);
  EXPECT_FALSE(ch.try_send(std::move(kept)));
  EXPECT_FALSE(ch.send_for(std::move(kept), 1ms));
  ASSERT_NE(kept, nullptr);
  auto sender = weft::spawn([&] { ch.send(std::move(kept)); });
  EXPECT_EQ(**ch.receive(), 1);
  EXPECT_EQ(**ch.receive(), 2);
  sender.join();
}

WEFT_TEST(channel, serves_many_senders_and_receivers_each_value_once) {
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}, std::size_t{16}, SIZE_MAX}) {
    weft::channel<std::size_t> ch(capacity);
    constexpr std::size_t crew = 4;
    const std::size_t each = repeated(1'000, 100);
    std::vector<std::atomic<int>> seen(crew * each);
    std::vector<weft::fiber<void>> senders, receivers;
    for (std::size_t s = 0; s < crew; ++s) {
      receivers.push_back(weft::spawn([&] {
        std::vector<std::size_t> last(crew, 0);
        for (const std::size_t value : ch) {
          ++seen[value];
          EXPECT_GE(value % each + 1, last[value / each]);  // In order, for each sender.
          last[value / each] = value % each + 1;
        }
      }));
      senders.push_back(weft::spawn([&, s] {
        for (std::size_t i = 0; i < each; ++i) ch.send(s * each + i);
      }));
    }
    for (auto& f : senders) f.join();
    ch.close();
    for (auto& f : receivers) f.join();
    for (const auto& times : seen) ASSERT_EQ(times, 1);
  }
}

WEFT_TEST(channel, is_used_by_plain_threads_and_fibers_alike) {
  for (const std::size_t capacity : {0u, 4u}) {
    weft::channel<int> to_fiber(capacity), to_thread(capacity);
    const int count = static_cast<int>(repeated(500, 50));
    std::thread outside([&] {
      for (int i = 0; i < count; ++i) {
        to_fiber.send(i);
        EXPECT_EQ(to_thread.receive(), 2 * i);
      }
      EXPECT_FALSE(to_thread.receive_for(100us).has_value());
      to_fiber.close();
    });
    for (const int value : to_fiber) to_thread.send(2 * value);
    outside.join();
  }
}

WEFT_TEST(channel, serves_the_longest_waiting_first) {
  if (current_setting.cores > 1) return;  // Only on one core is it known who came first.
  weft::channel<int> ch, order(weft::unbounded);
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 8; ++i) {
    crew.push_back(weft::spawn([&, i] { order.send(*ch.receive() * 100 + i); }));
    for (int k = 0; k < 5; ++k) weft::this_fiber::yield();
  }
  for (int i = 0; i < 8; ++i) ch.send(i);
  for (auto& f : crew) f.join();
  for (int i = 0; i < 8; ++i) {
    const int got = *order.receive();
    EXPECT_EQ(got / 100, got % 100);
  }
}

WEFT_TEST(channel, lets_others_run_where_nobody_has_to_wait) {
  weft::channel<int> busy(1);
  std::atomic<bool> stop{false};
  auto other = weft::spawn([&] { stop = true; });
  std::size_t rounds = 0;
  for (; !stop && rounds < 100'000'000; ++rounds) {
    busy.send(1);
    busy.receive();
  }
  EXPECT_TRUE(stop);
  other.join();
}

// --- Deadlines and cancellation ------------------------------------------------------------------------------------------

WEFT_TEST_EACH_REACTOR(channel, gives_up_at_the_deadline) {
  weft::channel<int> ch(1);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(ch.receive_for(2ms).has_value());
  ch.send(1);
  EXPECT_FALSE(ch.send_for(2, 2ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 4ms);
  EXPECT_FALSE(ch.send_until(2, std::chrono::steady_clock::now() - 1s));
  EXPECT_EQ(ch.receive_for(-1h), 1);
}

WEFT_TEST(channel, cancelled_waits_lose_nothing) {
  weft::channel<std::unique_ptr<int>> ch;
  auto receiver = weft::spawn([&] { static_cast<void>(ch.receive()); });
  auto value = std::make_unique<int>(1);
  for (int i = 0; i < 5; ++i) weft::this_fiber::yield();
  receiver.cancel();
  EXPECT_THROW(receiver.join(), weft::join_cancelled);
  auto sender = weft::spawn([&] { ch.send(std::move(value)); });
  for (int i = 0; i < 5; ++i) weft::this_fiber::yield();
  sender.cancel();
  EXPECT_THROW(sender.join(), weft::join_cancelled);
  EXPECT_NE(value, nullptr);
  EXPECT_FALSE(ch.try_receive().has_value());
  EXPECT_FALSE(ch.try_send(std::move(value)));
}
