// How channels of every kind end, fall behind and let go of their values.
#include "support/counted.h"
#include "support/waiting.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

using namespace weft_test;

// --- channel ---------------------------------------------------------------------------------------------------------------

WEFT_TEST(channel_ends, values_sent_before_the_close_are_received_after_it_in_order) {
  for (const std::size_t capacity : {std::size_t{8}, SIZE_MAX}) {
    weft::channel<int> ch(capacity);
    for (int i = 0; i < 5; ++i) ch.send(i);
    ch.close();
    int expected = 0;
    for (const int value : ch) EXPECT_EQ(value, expected++);
    EXPECT_EQ(expected, 5);
    EXPECT_EQ(ch.begin(), ch.end());
  }
}

WEFT_TEST(channel_ends, a_waiting_sender_keeps_its_value_when_the_channel_closes) {
  std::atomic<int> live{0};
  weft::channel<counted> ch(1);
  ch.send(counted(live, 1));
  const weft::pin_guard stay;
  auto waits = begin_here([&] {
    counted mine(live, 2);
    EXPECT_THROW(ch.send(std::move(mine)), weft::channel_closed);
    EXPECT_EQ(mine.value, 2);
  });
  ch.close();
  waits.join();
  EXPECT_EQ(ch.receive()->value, 1);
  EXPECT_EQ(live, 0);
}

WEFT_TEST(channel_ends, closing_from_within_a_receive_loop_ends_the_loop) {
  weft::channel<int> ch(8);
  for (int i = 0; i < 8; ++i) ch.send(i);
  int seen = 0;
  for (const int value : ch) {
    if (value == 3) ch.close_now();
    ++seen;
  }
  EXPECT_EQ(seen, 4);
}

WEFT_TEST(channel_ends, leaving_a_receive_loop_leaves_the_rest) {
  weft::channel<int> ch(8);
  for (int i = 0; i < 8; ++i) ch.send(i);
  for (const int value : ch) {
    if (value == 2) break;
  }
  EXPECT_EQ(ch.size(), 5u);
  EXPECT_EQ(ch.receive(), 3);
}

WEFT_TEST(channel_ends, a_channel_carries_channels) {
  using replies = weft::channel<int>;
  weft::channel<std::shared_ptr<replies>> requests;
  auto server = weft::spawn([&] {
    int next = 0;
    for (const auto& reply : requests) reply->send(next++);
  });
  for (int i = 0; i < 10; ++i) {
    const auto reply = std::make_shared<replies>();
    requests.send(reply);
    EXPECT_EQ(reply->receive(), i);
  }
  requests.close();
  server.join();
}

WEFT_TEST(channel_ends, values_without_a_size_are_counted_all_the_same) {
  struct nothing {};
  weft::channel<nothing> ch(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ch.try_send(nothing()));
  EXPECT_FALSE(ch.try_send(nothing()));
  ch.close();
  int count = 0;
  for ([[maybe_unused]] const nothing each : ch) ++count;
  EXPECT_EQ(count, 3);
}

WEFT_TEST(channel_ends, says_how_much_it_holds) {
  weft::channel<int> none, two(2), any(weft::unbounded);
  EXPECT_EQ(none.capacity(), 0u);
  EXPECT_EQ(two.capacity(), 2u);
  EXPECT_EQ(any.capacity(), SIZE_MAX);
  EXPECT_TRUE(two.empty());
  two.send(1);
  EXPECT_EQ(two.size(), 1u);
  auto waits = weft::spawn([&] {
    two.send(2);
    two.send(3);
  });
  EXPECT_TRUE(yield_until([&] { return two.size() == 2; }));
  EXPECT_EQ(two.receive(), 1);
  EXPECT_EQ(two.receive(), 2);
  EXPECT_EQ(two.receive(), 3);
  waits.join();
  EXPECT_TRUE(two.empty());
}

WEFT_TEST(channel_ends, a_reused_ring_and_a_grown_list_keep_their_order) {
  weft::channel<std::string> ring(3);
  auto list = weft::channel<std::string>::unbounded();
  int next_sent = 0, next_got = 0;
  const int count = static_cast<int>(repeated(3'000, 300));
  while (next_got < count) {
    for (int i = 0; i < 1 + next_sent % 3 && ring.size() < 3; ++i, ++next_sent) {
      ring.send(std::to_string(next_sent));
      list.send(std::to_string(next_sent));
    }
    for (int i = 0; i < 1 + next_got % 2 && !ring.empty(); ++i, ++next_got) {
      ASSERT_EQ(ring.receive(), std::to_string(next_got));
      ASSERT_EQ(list.receive(), std::to_string(next_got));
    }
  }
}

WEFT_TEST(channel_ends, drops_a_value_once_however_it_ends) {
  std::atomic<int> live{0};
  {
    weft::channel<counted> ch(4);
    for (int i = 0; i < 4; ++i) ch.send(counted(live));
    static_cast<void>(ch.receive());
    auto sender = weft::spawn([&] {
      ch.send(counted(live));
      ch.send(counted(live));
    });
    for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
    sender.cancel();
    try {
      sender.join();
    } catch (const weft::join_cancelled&) {
    }
    EXPECT_EQ(static_cast<std::size_t>(live), ch.size());
  }
  EXPECT_EQ(live, 0);
}

// --- Work that is counted ----------------------------------------------------------------------------------------------------

WEFT_TEST(channel_ends, join_waits_for_values_that_were_received_but_not_done) {
  weft::channel<int> ch(4);
  ch.send(1);
  ch.send(2);
  EXPECT_EQ(ch.receive(), 1);
  EXPECT_EQ(ch.receive(), 2);
  EXPECT_FALSE(ch.join_for(100us));
  ch.task_done();
  EXPECT_FALSE(ch.join_for(0ms));
  ch.task_done();
  EXPECT_TRUE(ch.join_for(0ms));
  ch.join();
}

WEFT_TEST(channel_ends, several_may_join_and_a_cancelled_join_changes_nothing) {
  weft::channel<int> ch(1);
  ch.send(1);
  const weft::pin_guard stay;
  auto one = begin_here([&] { ch.join(); });
  auto two = begin_here([&] { ch.join(); });
  auto three = begin_here([&] { ch.join(); });
  two.cancel();
  EXPECT_TRUE(ended_cancelled(two));
  EXPECT_FALSE(one.done());
  static_cast<void>(ch.receive());
  ch.task_done();
  one.join();
  three.join();
}

WEFT_TEST(channel_ends, close_now_counts_what_it_drops_as_done) {
  weft::channel<int> ch(4);
  for (int i = 0; i < 4; ++i) ch.send(i);
  static_cast<void>(ch.receive());
  const weft::pin_guard stay;
  auto joins = begin_here([&] { ch.join(); });
  EXPECT_EQ(ch.close_now(), 3u);
  EXPECT_FALSE(joins.done());
  ch.task_done();
  joins.join();
}

// --- broadcast and watch -----------------------------------------------------------------------------------------------------

WEFT_TEST(broadcast_ends, a_reader_sees_only_what_is_sent_after_it_subscribed) {
  weft::broadcast<int> news(4);
  news.send(1);
  auto late = news.subscribe();
  EXPECT_FALSE(late.try_receive());
  news.send(2);
  EXPECT_EQ(late.receive(), 2);
  news.close();
  EXPECT_FALSE(late.receive());
  EXPECT_TRUE(late.is_drained());
}

WEFT_TEST(broadcast_ends, exactly_as_many_as_it_keeps_are_no_lag) {
  weft::broadcast<int> news(3);
  auto reader = news.subscribe();
  for (int i = 0; i < 3; ++i) news.send(i);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(reader.receive(), i);
  for (int i = 3; i < 7; ++i) news.send(i);
  try {
    static_cast<void>(reader.try_receive());
    ADD_FAILURE() << "it was not told";
  } catch (const weft::lagged& gap) {
    EXPECT_EQ(gap.missed(), 1u);
  }
  for (int i = 4; i < 7; ++i) EXPECT_EQ(reader.receive(), i);
}

WEFT_TEST(broadcast_ends, lag_is_told_after_the_close_too) {
  weft::broadcast<int> news(2);
  auto reader = news.subscribe();
  for (int i = 0; i < 5; ++i) news.send(i);
  news.close();
  EXPECT_FALSE(reader.is_drained());
  EXPECT_THROW(static_cast<void>(reader.receive()), weft::lagged);
  EXPECT_EQ(reader.receive(), 3);
  EXPECT_EQ(reader.receive(), 4);
  EXPECT_FALSE(reader.receive());
}

WEFT_TEST(broadcast_ends, without_readers_keeps_nobody_waiting) {
  weft::broadcast<int> news(1);
  for (int i = 0; i < 100; ++i) news.send(i);
  EXPECT_TRUE(news.close());
  EXPECT_FALSE(news.close());
  EXPECT_TRUE(news.is_closed());
  EXPECT_THROW(news.send(1), weft::channel_closed);
}

WEFT_TEST(broadcast_ends, closing_wakes_every_waiting_reader) {
  weft::broadcast<int> news(1);
  const weft::pin_guard stay;
  std::vector<weft::fiber<bool>> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(begin_here([mine = news.subscribe()]() mutable { return mine.receive().has_value(); }));
  }
  news.close();
  for (auto& f : readers) EXPECT_FALSE(f.join());
}

WEFT_TEST(broadcast_ends, lets_go_of_a_value_that_has_made_room) {
  weft::broadcast<std::shared_ptr<int>> news(1);
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = value;
  news.send(std::move(value));
  EXPECT_FALSE(watched.expired());
  news.send(nullptr);
  EXPECT_TRUE(watched.expired());
}

WEFT_TEST(watch_ends, the_first_value_counts_as_unseen_and_each_change_once) {
  weft::watch<int> level(1);
  auto one = level.subscribe();
  auto two = one;
  EXPECT_EQ(one.receive(), 1);
  EXPECT_EQ(two.receive(), 1);
  level.set(1);  // The same value, set again, is a change.
  EXPECT_EQ(one.receive(), 1);
  EXPECT_FALSE(one.try_receive());
  level.set(2);
  level.set(3);
  EXPECT_EQ(two.receive(), 3);
  EXPECT_FALSE(two.try_receive());
}

WEFT_TEST(watch_ends, the_last_value_is_seen_before_the_end) {
  weft::watch<int> level(1);
  auto reader = level.subscribe();
  level.set(2);
  level.close();
  EXPECT_FALSE(reader.is_drained());
  EXPECT_EQ(reader.receive(), 2);
  EXPECT_FALSE(reader.receive());
  EXPECT_TRUE(reader.is_drained());
  auto late = level.subscribe();
  EXPECT_EQ(late.receive(), 2);
}

WEFT_TEST(watch_ends, closing_with_an_error_throws_it_to_waiting_readers) {
  weft::watch<int> level(1);
  auto reader = level.subscribe();
  static_cast<void>(reader.receive());
  const weft::pin_guard stay;
  auto waits = begin_here([&] { EXPECT_THROW(static_cast<void>(reader.receive()), std::logic_error); });
  level.close(std::make_exception_ptr(std::logic_error("gone")));
  waits.join();
}

// --- oneshot -----------------------------------------------------------------------------------------------------------------

WEFT_TEST(oneshot_ends, a_value_that_nobody_received_is_dropped_with_it) {
  std::atomic<int> live{0};
  {
    weft::oneshot<counted> answer;
    answer.send(counted(live));
    EXPECT_EQ(live, 1);
  }
  EXPECT_EQ(live, 0);
}

WEFT_TEST(oneshot_ends, a_second_value_stays_with_its_sender) {
  weft::oneshot<std::unique_ptr<int>> answer;
  answer.send(std::make_unique<int>(1));
  auto second = std::make_unique<int>(2);
  EXPECT_THROW(answer.send(std::move(second)), weft::channel_closed);
  EXPECT_FALSE(answer.try_send(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(**answer.receive(), 1);
  EXPECT_FALSE(answer.receive());
}

WEFT_TEST(oneshot_ends, a_cancelled_receiver_leaves_the_value_to_the_next) {
  weft::oneshot<int> answer;
  auto waits = weft::spawn([&] { static_cast<void>(answer.receive()); });
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  waits.cancel();
  EXPECT_TRUE(ended_cancelled(waits));
  answer.send(4);
  EXPECT_EQ(answer.receive_for(1ms), 4);
}
