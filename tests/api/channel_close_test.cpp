// How channels end, what becomes of values then, and of values that throw when they are moved.
#include "support/with_cores.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace weft_test;

namespace {

// Throws in the moves that it is told to.
struct brittle {
  explicit brittle(int n) : number(n) {}
  brittle(brittle&& other) : number(other.number) {
    if (throws_in > 0 && --throws_in == 0) throw std::runtime_error("a move threw");
    other.number = -1;
  }
  brittle& operator=(brittle&&) = delete;
  int number;
  static inline std::atomic<int> throws_in{0};
};

struct counted {
  explicit counted(std::atomic<int>& n) : alive(&n) { ++*alive; }
  counted(counted&& other) noexcept : alive(std::exchange(other.alive, nullptr)) {}
  counted& operator=(counted&&) = delete;
  ~counted() {
    if (alive != nullptr) --*alive;
  }
  std::atomic<int>* alive;
};

}  // namespace

// --- Closing -------------------------------------------------------------------------------------------------------------

WEFT_TEST(channel, closed_gives_what_is_left_and_then_nothing) {
  weft::channel<int> ch(4);
  ch.send(1);
  ch.send(2);
  EXPECT_FALSE(ch.is_closed());
  EXPECT_TRUE(ch.close());
  EXPECT_FALSE(ch.close());
  EXPECT_TRUE(ch.is_closed());
  EXPECT_FALSE(ch.is_drained());
  EXPECT_FALSE(ch.try_send(3));
  EXPECT_THROW(ch.send(3), weft::channel_closed);
  EXPECT_THROW(static_cast<void>(ch.send_for(3, 1s)), weft::channel_closed);
  EXPECT_EQ(ch.receive(), 1);
  EXPECT_EQ(ch.try_receive(), 2);
  EXPECT_TRUE(ch.is_drained());
  EXPECT_FALSE(ch.receive().has_value());
  EXPECT_FALSE(ch.receive_for(1h).has_value());
}

WEFT_TEST(channel, closing_ends_every_wait) {
  weft::channel<std::unique_ptr<int>> empty, full(1);
  full.send(std::make_unique<int>(0));
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 5; ++i) {
    crew.push_back(weft::spawn([&] { EXPECT_FALSE(empty.receive().has_value()); }));
    crew.push_back(weft::spawn([&] {
      auto value = std::make_unique<int>(1);
      EXPECT_THROW(full.send(std::move(value)), weft::channel_closed);
      EXPECT_NE(value, nullptr);  // Still ours.
    }));
  }
  for (int i = 0; i < 20; ++i) weft::this_fiber::yield();
  empty.close();
  full.close();
  for (auto& f : crew) f.join();
  EXPECT_EQ(full.size(), 1u);
}

WEFT_TEST(channel, closed_with_an_error_throws_it_to_receivers) {
  weft::channel<int> ch(1);
  ch.send(1);
  auto waiting = weft::spawn([&] {
    std::string text;
    try {
      for (const int value : ch) EXPECT_EQ(value, 1);
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    return text;
  });
  weft::this_fiber::yield();
  ch.close(std::make_exception_ptr(std::runtime_error("the source broke")));
  EXPECT_EQ(waiting.join(), "the source broke");
  EXPECT_THROW(static_cast<void>(ch.try_receive()), std::runtime_error);
  EXPECT_THROW(ch.send(1), weft::channel_closed);
}

WEFT_TEST(channel, close_now_drops_what_is_left) {
  std::atomic<int> alive{0};
  auto ch = weft::channel<counted>::unbounded();
  for (int i = 0; i < 300; ++i) ch.send(counted(alive));
  EXPECT_EQ(alive, 300);
  EXPECT_EQ(ch.close_now(), 300u);
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(ch.receive().has_value());
  EXPECT_TRUE(ch.join_for(0s));
  EXPECT_EQ(ch.close_now(), 0u);
}

WEFT_TEST(channel, destroys_what_nobody_received) {
  std::atomic<int> alive{0};
  {
    weft::channel<counted> ring(8);
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 5; ++i) ring.send(counted(alive));
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.receive().has_value());
      if (round == 1) ring.close();
      if (round == 1) break;
    }
    EXPECT_EQ(alive, 4);
  }
  EXPECT_EQ(alive, 0);
}

WEFT_TEST(channel, join_waits_until_all_is_done) {
  weft::channel<int> ch(3);
  EXPECT_TRUE(ch.join_for(0s));
  std::atomic<int> done{0};
  auto worker = weft::spawn([&] {
    for (const int value : ch) {
      weft::this_fiber::yield();
      done += value;
      ch.task_done();
    }
  });
  for (int i = 0; i < 10; ++i) ch.send(1);
  ch.join();
  EXPECT_EQ(done, 10);
  EXPECT_THROW(ch.task_done(), std::system_error);
  EXPECT_TRUE(ch.try_send(1) || ch.send_for(1, long_enough));
  ch.join();
  ch.close();
  worker.join();
}

// --- Values that throw ---------------------------------------------------------------------------------------------------

WEFT_TEST(channel, keeps_a_value_in_the_buffer_whose_move_throws) {
  for (const std::size_t capacity : {std::size_t{2}, SIZE_MAX}) {
    weft::channel<brittle> ch(capacity);
    brittle value(5);
    brittle::throws_in = 1;
    EXPECT_THROW(ch.send(std::move(value)), std::runtime_error);
    EXPECT_EQ(value.number, 5);
    EXPECT_TRUE(ch.empty());
    ch.send(std::move(value));
    brittle::throws_in = 1;
    EXPECT_THROW(static_cast<void>(ch.receive()), std::runtime_error);
    EXPECT_EQ(ch.size(), 1u);
    EXPECT_EQ(ch.receive()->number, 5);
  }
}

// Whichever side comes second moves the value and gets the exception; the other one goes on waiting.
WEFT_TEST(channel, a_move_that_throws_fails_who_called_and_nobody_else) {
  weft::channel<brittle> ch;
  brittle value(7);
  brittle::throws_in = 1;
  auto receiver = weft::spawn([&] { return ch.receive()->number; });
  auto sender = weft::spawn([&] { ch.send(std::move(value)); });
  ASSERT_TRUE(yield_until([&] { return receiver.done() || sender.done(); }));
  EXPECT_EQ(value.number, 7);
  if (sender.done()) {
    EXPECT_THROW(sender.join(), std::runtime_error);
    ch.send(std::move(value));
    EXPECT_EQ(receiver.join(), 7);
  } else {
    EXPECT_THROW(receiver.join(), std::runtime_error);
    EXPECT_EQ(ch.receive()->number, 7);
    sender.join();
  }
  brittle::throws_in = 0;
}

WEFT_TEST(channel, a_waiting_sender_whose_move_throws_leaves_room_to_the_next) {
  weft::channel<brittle> ch(1);
  ch.send(brittle(0));
  brittle::throws_in = 0;
  std::vector<weft::fiber<bool>> senders;
  for (int i = 1; i <= 3; ++i) {
    senders.push_back(weft::spawn([&ch, i] {
      brittle value(i);
      try {
        ch.send(std::move(value));
        return true;
      } catch (const std::runtime_error&) {
        return false;
      }
    }));
  }
  for (int i = 0; i < 20; ++i) weft::this_fiber::yield();
  brittle::throws_in = 2;  // The one that is received comes first, then the one that takes its room.
  std::size_t received = 0;
  const auto take = [&] {
    try {
      received += ch.receive_for(100us).has_value() ? 1 : 0;
    } catch (const std::runtime_error&) {  // It stays in the channel.
    }
  };
  std::size_t sent = 1;
  for (auto& f : senders) {
    while (!f.done()) take();
    sent += f.join() ? 1 : 0;
  }
  brittle::throws_in = 0;
  while (!ch.empty()) take();
  EXPECT_EQ(sent, received);
}

// --- Lifetime -----------------------------------------------------------------------------------------------------------

WEFT_TEST(channel, may_be_destroyed_by_who_received_last) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto ch = std::make_unique<weft::channel<int>>(i % 3);
    auto sender = weft::spawn([at = ch.get()] { at->send(1); });
    if (i % 2 == 0) weft::this_fiber::yield();
    EXPECT_EQ(ch->receive(), 1);
    if (i % 3 == 0) ch.reset();  // The sender's call has handed over, and touches nothing any more.
    sender.join();
  }
}
