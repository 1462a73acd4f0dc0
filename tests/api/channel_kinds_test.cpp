// The channels that are no queues: priority, lifo, oneshot, broadcast, watch.
#include "support/with_cores.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "support/failure_note.h"
#include "support/seed.h"

using namespace weft_test;
using weft::on_receive;
using weft::on_timeout;
using weft::select;

// --- priority_channel ----------------------------------------------------------------------------------------------------

WEFT_TEST(priority_channel, gives_the_greatest_first_and_equal_ones_in_order) {
  struct job {
    int urgency;
    std::size_t number;
    bool operator<(const job& other) const { return urgency < other.urgency; }
  };
  const std::uint64_t seed = fresh_seed();
  const failure_note said(seed_text(seed));
  std::mt19937_64 random(seed);
  weft::priority_channel<job> ch;
  std::vector<job> expected;
  for (std::size_t i = 0; i < 500; ++i) {
    const job next{static_cast<int>(random() % 20), i};
    ch.send(next);
    expected.push_back(next);
  }
  std::ranges::stable_sort(expected, [](const job& a, const job& b) { return b < a; });
  for (const job& each : expected) ASSERT_EQ(ch.receive()->number, each.number);
  EXPECT_TRUE(ch.empty());
}

WEFT_TEST(priority_channel, bounded_makes_senders_wait) {
  weft::priority_channel<int, std::greater<int>> ch(2);
  ch.send(5);
  ch.send(3);
  EXPECT_FALSE(ch.try_send(1));
  auto sender = weft::spawn([&] { ch.send(1); });
  for (int i = 0; i < 20; ++i) weft::this_fiber::yield();
  EXPECT_EQ(ch.receive(), 3);
  sender.join();
  EXPECT_EQ(ch.receive(), 1);
  ch.close();
  EXPECT_EQ(ch.receive(), 5);
  EXPECT_FALSE(ch.receive().has_value());
}

WEFT_TEST(priority_channel, a_comparison_that_throws_changes_nothing) {
  static int throws_in;
  throws_in = 0;
  struct picky {
    bool operator()(int a, int b) const {
      if (throws_in > 0 && --throws_in == 0) throw std::runtime_error("a comparison threw");
      return a < b;
    }
  };
  weft::priority_channel<int, picky> ch;
  for (int i = 0; i < 20; ++i) ch.send(i);
  throws_in = 1;
  EXPECT_THROW(ch.send(99), std::runtime_error);
  throws_in = 2;
  EXPECT_THROW(static_cast<void>(ch.receive()), std::runtime_error);
  EXPECT_EQ(ch.size(), 20u);
  for (int i = 19; i >= 0; --i) EXPECT_EQ(ch.receive(), i);
}

WEFT_TEST(priority_channel, is_a_case_of_select_and_drops_its_rest) {
  weft::priority_channel<std::string> ch(weft::unbounded);
  ch.send("a");
  ch.send("c");
  ch.send("b");
  std::optional<std::string> got;
  select(on_receive(ch, got), on_timeout(1h));
  EXPECT_EQ(got, "c");
  EXPECT_EQ(ch.close_now(), 2u);
}

// --- lifo_channel --------------------------------------------------------------------------------------------------------

WEFT_TEST(lifo_channel, gives_the_newest_first) {
  weft::lifo_channel<std::unique_ptr<int>> ch;
  for (int i = 0; i < 100; ++i) ch.send(std::make_unique<int>(i));
  for (int i = 99; i >= 10; --i) ASSERT_EQ(**ch.receive(), i);
  ch.send(std::make_unique<int>(7));
  EXPECT_EQ(**ch.try_receive(), 7);
  weft::lifo_channel<int> small(1);
  EXPECT_TRUE(small.try_send(1));
  EXPECT_FALSE(small.try_send(2));
}

// --- oneshot -------------------------------------------------------------------------------------------------------------

WEFT_TEST(oneshot, takes_one_value) {
  weft::oneshot<std::unique_ptr<int>> answer;
  EXPECT_FALSE(answer.try_receive().has_value());
  auto late = std::make_unique<int>(2);
  answer.send(std::make_unique<int>(1));
  EXPECT_THROW(answer.send(std::move(late)), weft::channel_closed);
  EXPECT_NE(late, nullptr);
  EXPECT_EQ(**answer.receive(), 1);
  EXPECT_FALSE(answer.receive().has_value());
}

WEFT_TEST(oneshot, may_be_destroyed_by_its_receiver) {
  for (std::size_t i = 0; i < repeated(500, 50); ++i) {
    weft::fiber<void> sender;
    {
      weft::oneshot<int> answer;
      sender = weft::spawn([&answer] { answer.send(5); });
      if (i % 2 == 0) weft::this_fiber::yield();
      EXPECT_EQ(answer.receive_for(long_enough), 5);
    }
    sender.join();
  }
}

WEFT_TEST(oneshot, closed_without_a_value_says_so) {
  weft::oneshot<int> answer, broken, chosen;
  auto waiting = weft::spawn([&] { EXPECT_FALSE(answer.receive().has_value()); });
  weft::this_fiber::yield();
  answer.close();
  waiting.join();
  EXPECT_FALSE(answer.try_send(1));
  broken.close(std::make_exception_ptr(std::runtime_error("no answer")));
  EXPECT_THROW(static_cast<void>(broken.receive()), std::runtime_error);
  auto sender = weft::spawn([&] { chosen.send(3); });
  int got = 0;
  select(weft::on_receive(chosen, [&](std::optional<int> value) { got = *value; }), on_timeout(long_enough));
  EXPECT_EQ(got, 3);
  sender.join();
}

// --- broadcast -----------------------------------------------------------------------------------------------------------

WEFT_TEST(broadcast, shows_every_value_to_every_reader) {
  weft::broadcast<std::string> news(8);
  std::vector<weft::fiber<int>> readers;
  for (int i = 0; i < 4; ++i) {
    readers.push_back(weft::spawn([from = news.subscribe()]() mutable {
      int seen = 0;
      while (auto text = from.receive()) {
        EXPECT_EQ(*text, "item " + std::to_string(seen));
        ++seen;
      }
      return seen;
    }));
  }
  weft::basic_reader<std::string> mine = news.subscribe();
  for (int i = 0; i < 100; ++i) {
    news.send("item " + std::to_string(i));
    EXPECT_EQ(mine.receive(), "item " + std::to_string(i));
    for (int k = 0; k < 20; ++k) weft::this_fiber::yield();
    if (current_setting.cores > 1) break;  // There the others may lag.
  }
  EXPECT_FALSE(mine.try_receive().has_value());
  EXPECT_FALSE(mine.is_drained());
  news.close();
  EXPECT_TRUE(mine.is_drained());
  for (auto& f : readers) EXPECT_EQ(f.join(), current_setting.cores > 1 ? 1 : 100);
  EXPECT_THROW(news.send("late"), weft::channel_closed);
}

WEFT_TEST(broadcast, tells_a_reader_what_it_missed) {
  weft::broadcast<int> news(3);
  auto slow = news.subscribe();
  for (int i = 1; i <= 10; ++i) news.send(i);
  auto copy = slow;
  for (auto* const reader : {&slow, &copy}) {
    try {
      static_cast<void>(reader->receive());
      ADD_FAILURE() << "it was not told";
    } catch (const weft::lagged& gap) {
      EXPECT_EQ(gap.missed(), 7u);
    }
    EXPECT_EQ(reader->receive(), 8);
  }
  news.close(std::make_exception_ptr(std::runtime_error("cut")));
  EXPECT_EQ(slow.receive(), 9);
  EXPECT_EQ(*slow.receive_shared(), 10);
  EXPECT_THROW(static_cast<void>(slow.receive()), std::runtime_error);
  EXPECT_THROW(weft::broadcast<int>(0), std::invalid_argument);
}

WEFT_TEST(broadcast, is_a_case_of_select) {
  weft::broadcast<int> news(4);
  weft::channel<int> other;
  auto reader = news.subscribe();
  int got = 0;
  auto waiting = weft::spawn([&] {
    EXPECT_EQ(
        select(on_receive(other, [](auto) {}), on_receive(reader, [&](std::optional<int> value) { got = *value; })),
        1u);
  });
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  news.send(6);
  waiting.join();
  EXPECT_EQ(got, 6);
  EXPECT_EQ(select(on_receive(reader, [](auto) {}), on_timeout(1ms)), 1u);
  EXPECT_FALSE(reader.receive_for(1ms).has_value());
  news.close();
  EXPECT_EQ(select(on_receive(reader, [](auto value) { EXPECT_FALSE(value.has_value()); }), on_timeout(1h)), 0u);
}

// --- watch ---------------------------------------------------------------------------------------------------------------

WEFT_TEST(watch, shows_the_latest_value_to_each_reader_once) {
  weft::watch<int> level(1);
  auto reader = level.subscribe();
  EXPECT_EQ(reader.receive(), 1);
  EXPECT_FALSE(reader.try_receive().has_value());
  for (int i = 2; i <= 5; ++i) level.set(i);
  EXPECT_EQ(level.get(), 5);
  EXPECT_EQ(level.version(), 5u);
  EXPECT_EQ(reader.receive(), 5);
  EXPECT_FALSE(reader.receive_for(500us).has_value());
  const std::shared_ptr<const int> kept = level.view();
  auto setter = weft::spawn([&] { level.set(6); });
  EXPECT_EQ(reader.receive(), 6);
  EXPECT_EQ(*kept, 5);
  setter.join();
  level.close();
  EXPECT_THROW(level.set(7), weft::channel_closed);
  EXPECT_FALSE(reader.receive().has_value());
  EXPECT_EQ(level.get(), 6);
}

WEFT_TEST(watch, wakes_who_waits_in_fibers_threads_and_selects) {
  weft::watch<int> level(0);
  const int last = static_cast<int>(repeated(500, 50));
  const auto follow = [&] {
    auto reader = level.subscribe();
    int seen = -1;
    while (seen != last) {
      const int next = *reader.receive();
      EXPECT_GT(next, seen);
      seen = next;
    }
  };
  const auto follow_by_select = [&] {
    auto reader = level.subscribe();
    int seen = -1;
    while (seen != last)
      select(on_receive(reader, [&](std::optional<int> value) { seen = *value; }), on_timeout(long_enough));
  };
  auto one = weft::spawn(follow);
  auto two = weft::spawn(follow_by_select);
  std::thread three(follow);
  for (int i = 1; i <= last; ++i) {
    level.set(i);
    if (i % 8 == 0) weft::this_fiber::yield();
  }
  one.join();
  two.join();
  three.join();
}

WEFT_TEST(watch, a_cancelled_reader_leaves) {
  weft::watch<int> level(0);
  auto reader = level.subscribe();
  EXPECT_EQ(reader.receive(), 0);
  auto waiting = weft::spawn([&] { static_cast<void>(reader.receive()); });
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  waiting.cancel();
  EXPECT_THROW(waiting.join(), weft::join_cancelled);
  level.set(1);
  EXPECT_EQ(reader.receive(), 1);
}
