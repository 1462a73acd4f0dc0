// select: exactly one case is done, and the others are as if they had never been asked.
#include "support/with_cores.h"

#include <array>
#include <atomic>
#include <memory>
#include <numeric>
#include <optional>

using namespace weft_test;
using weft::on_join;
using weft::on_receive;
using weft::on_send;
using weft::on_timeout;
using weft::otherwise;
using weft::select;

namespace {

constexpr auto ignore = [](auto&&...) {};

}  // namespace

// --- One case ------------------------------------------------------------------------------------------------------------

WEFT_TEST(select, of_one_case_is_the_operation_itself) {
  weft::channel<int> ch(1);
  EXPECT_EQ(select(on_send(ch, 5)), 0u);
  std::optional<int> got;
  EXPECT_EQ(select(on_receive(ch, got)), 0u);
  EXPECT_EQ(got, 5);
  auto sender = weft::spawn([&] { select(on_send(ch, 6)); });
  EXPECT_EQ(select(on_receive(ch, got)), 0u);
  EXPECT_EQ(got, 6);
  sender.join();
}

WEFT_TEST(select, meets_a_plain_sender_and_a_plain_receiver) {
  weft::channel<int> in, out, unused;
  auto echo = weft::spawn([&] {
    for (int i = 0; i < 50; ++i) {
      int value = 0;
      select(on_receive(in, [&](std::optional<int> v) { value = *v; }), on_receive(unused, ignore));
      select(on_receive(unused, ignore), on_send(out, value + 1));
    }
  });
  for (int i = 0; i < 50; ++i) {
    in.send(i);
    EXPECT_EQ(out.receive(), i + 1);
  }
  echo.join();
}

// --- What is chosen ------------------------------------------------------------------------------------------------------

WEFT_TEST(select, takes_the_one_case_that_is_ready) {
  weft::channel<int> empty, full(1), closed;
  full.send(1);
  closed.close();
  EXPECT_EQ(select(on_receive(empty, ignore), on_send(full, 2), on_receive(full, ignore)), 2u);
  EXPECT_EQ(select(on_receive(empty, ignore), on_receive(full, ignore), on_send(full, 2)), 2u);
  bool is_empty = false;
  EXPECT_EQ(select(on_receive(empty, ignore),
                   on_receive(closed, [&](std::optional<int> value) { is_empty = !value.has_value(); })),
            1u);
  EXPECT_TRUE(is_empty);
  EXPECT_THROW(select(on_receive(empty, ignore), on_send(closed, 1)), weft::channel_closed);
}

WEFT_TEST(select, throws_the_error_that_a_channel_was_closed_with) {
  weft::channel<int> broken, fine;
  auto waiting = weft::spawn(
      [&] { EXPECT_THROW(select(on_receive(broken, ignore), on_receive(fine, ignore)), std::range_error); });
  weft::this_fiber::yield();
  broken.close(std::make_exception_ptr(std::range_error("broken")));
  waiting.join();
  EXPECT_FALSE(fine.try_send(1));  // Nobody waits there any more.
}

WEFT_TEST(select, otherwise_is_chosen_where_nothing_else_can_be_done) {
  weft::channel<int> ch;
  EXPECT_EQ(select(on_receive(ch, ignore), on_send(ch, 1), otherwise()), 2u);
  EXPECT_EQ(select(otherwise()), 0u);
  bool called = false;
  EXPECT_EQ(select(on_timeout(1h), on_receive(ch, ignore), otherwise([&] { called = true; })), 2u);
  EXPECT_TRUE(called);
}

WEFT_TEST(select, disabled_cases_are_never_chosen) {
  weft::channel<int> ready(1), idle;
  ready.send(1);
  weft::channel<int>* none = nullptr;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(
        select(on_receive(none, ignore), on_send(none, 1), weft::when(false, on_receive(ready, ignore)), otherwise()),
        3u);
  }
  EXPECT_EQ(select(weft::when(true, on_receive(ready, ignore)), on_receive(none, ignore)), 0u);
  EXPECT_EQ(select(on_receive(none, ignore), on_timeout(1ms)), 1u);
}

WEFT_TEST(select, a_case_that_is_kept_is_switched_on_again) {
  weft::channel<int> ready(4);
  ready.send(1);
  auto kept = on_receive(ready, ignore);
  EXPECT_EQ(select(weft::when(false, kept), otherwise()), 1u);
  EXPECT_EQ(select(weft::when(true, kept), otherwise()), 0u);
  weft::select_set several;
  ready.send(2);
  several.add(weft::when(false, on_receive(ready, ignore)));
  several.add(otherwise());
  EXPECT_EQ(several.select(), 1u);
  several.enable(0);
  EXPECT_EQ(several.select(), 0u);
}

WEFT_TEST(select, among_ready_cases_chooses_each_as_often) {
  weft::channel<int> a(1), idle, b(1), c(1);
  std::array<int, 4> chosen{};
  constexpr int rounds = 6'000;
  a.send(0), b.send(0), c.send(0);
  for (int i = 0; i < rounds; ++i) {
    const std::size_t at =
        select(on_receive(a, ignore), on_receive(idle, ignore), on_receive(b, ignore), on_receive(c, ignore));
    ++chosen.at(at);
    (at == 0 ? a : at == 2 ? b : c).send(0);
  }
  EXPECT_EQ(chosen[1], 0);
  for (const int at : {0, 2, 3}) EXPECT_NEAR(chosen[static_cast<std::size_t>(at)], rounds / 3, rounds / 12);
}

WEFT_TEST(select, in_order_chooses_the_first_that_is_ready) {
  weft::channel<int> first(1), second(1);
  second.send(2);
  for (int i = 0; i < 20; ++i) {
    first.send(1);
    EXPECT_EQ(weft::select_in_order(on_receive(first, ignore), on_receive(second, ignore)), 0u);
  }
  EXPECT_EQ(weft::select_in_order(on_receive(first, ignore), on_receive(second, ignore)), 1u);
}

// --- What is not chosen --------------------------------------------------------------------------------------------------

WEFT_TEST(select, leaves_the_losing_cases_untouched) {
  weft::channel<std::unique_ptr<int>> full(1), other(1), ready(1);
  full.send(std::make_unique<int>(0));
  auto value = std::make_unique<int>(1);
  for (int i = 0; i < 100; ++i) {
    ready.send(std::make_unique<int>(i));
    ASSERT_EQ(select(on_send(full, std::move(value)), on_receive(other, ignore), on_receive(ready, ignore)), 2u);
    ASSERT_NE(value, nullptr);
  }
  EXPECT_EQ(select(on_send(full, std::move(value)), on_receive(other, ignore), on_timeout(1ms)), 2u);
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(full.size(), 1u);
  EXPECT_EQ(**full.receive(), 0);
  EXPECT_FALSE(full.try_receive().has_value());  // No sender waits there.
  EXPECT_TRUE(other.try_send(std::move(value)));
  EXPECT_EQ(other.size(), 1u);  // Nor did a receiver there.
}

WEFT_TEST(select, does_not_pair_with_itself) {
  weft::channel<int> ch;
  EXPECT_EQ(select(on_receive(ch, ignore), on_send(ch, 1), on_timeout(1ms)), 2u);
  EXPECT_EQ(select(on_send(ch, 1), on_receive(ch, ignore), on_timeout(1ms)), 2u);
  EXPECT_FALSE(ch.try_receive().has_value());
  EXPECT_FALSE(ch.try_send(1));
}

WEFT_TEST(select, pairs_with_another_one_on_both_directions_of_one_channel) {
  weft::channel<int> ch;
  const int rounds = static_cast<int>(repeated(1'000, 100));
  std::atomic<int> sent{0}, received{0};
  const auto play = [&] {
    for (int i = 0; i < rounds; ++i) {
      select(on_send(ch, 1, [&] { ++sent; }), on_receive(ch, [&](std::optional<int> value) { received += *value; }));
    }
  };
  auto one = weft::spawn(play);
  auto two = weft::spawn(play);
  one.join();
  two.join();
  EXPECT_EQ(sent, rounds);
  EXPECT_EQ(received, rounds);
}

WEFT_TEST(select, pairs_across_two_channels_in_opposite_order) {
  weft::channel<int> a, b;
  const int rounds = static_cast<int>(repeated(1'000, 100));
  std::atomic<int> sent{0}, received{0};
  const auto receive = [&](std::optional<int> value) { received += *value; };
  const auto send = [&] { ++sent; };
  auto one = weft::spawn([&] {
    for (int i = 0; i < rounds; ++i) select(on_send(a, 1, send), on_receive(b, receive));
  });
  auto two = weft::spawn([&] {
    for (int i = 0; i < rounds; ++i) select(on_send(b, 1, send), on_receive(a, receive));
  });
  one.join();
  two.join();
  EXPECT_EQ(sent, rounds);
  EXPECT_EQ(received, rounds);
}

WEFT_TEST(select, each_value_goes_to_one_of_many_selects) {
  std::array<weft::channel<std::size_t>, 3> in{weft::channel<std::size_t>(0), weft::channel<std::size_t>(1),
                                               weft::channel<std::size_t>(weft::unbounded)};
  const std::size_t each = repeated(1'000, 100);
  std::vector<std::atomic<int>> seen(in.size() * each);
  std::vector<weft::fiber<void>> crew, senders;
  for (int i = 0; i < 4; ++i) {
    crew.push_back(weft::spawn([&] {
      std::array<weft::channel<std::size_t>*, 3> open{&in[0], &in[1], &in[2]};
      while (open[0] != nullptr || open[1] != nullptr || open[2] != nullptr) {
        std::optional<std::size_t> value;
        const std::size_t at =
            select(on_receive(open[0], [&](auto v) { value = v; }), on_receive(open[1], [&](auto v) { value = v; }),
                   on_receive(open[2], [&](auto v) { value = v; }));
        value.has_value() ? static_cast<void>(++seen[*value]) : static_cast<void>(open[at] = nullptr);
      }
    }));
  }
  for (std::size_t s = 0; s < in.size(); ++s) {
    senders.push_back(weft::spawn([&, s] {
      for (std::size_t i = 0; i < each; ++i) select(on_send(in[s], s * each + i), on_timeout(long_enough));
      in[s].close();
    }));
  }
  for (auto& f : senders) f.join();
  for (auto& f : crew) f.join();
  for (const auto& times : seen) ASSERT_EQ(times, 1);
}

// --- Deadlines, fibers, cancellation -------------------------------------------------------------------------------------

WEFT_TEST_EACH_REACTOR(select, gives_up_at_the_earliest_deadline) {
  weft::channel<int> idle;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(select(on_timeout(1h), on_receive(idle, ignore), on_timeout(2ms)), 2u);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
  EXPECT_EQ(select(on_receive(idle, ignore), on_timeout(-1s)), 1u);
  EXPECT_EQ(select(on_timeout(std::chrono::steady_clock::now() - 1s)), 0u);
}

WEFT_TEST(select, waits_for_the_end_of_a_fiber) {
  weft::channel<int> idle;
  std::atomic<bool> go{false};
  auto quick = weft::spawn([] { return 5; });
  auto slow = weft::spawn([&] {
    while (!go) weft::this_fiber::yield();
    return 6;
  });
  int result = 0;
  EXPECT_EQ(select(on_join(slow), on_receive(idle, ignore), on_join(quick, [&] { result = quick.join(); })), 2u);
  EXPECT_EQ(result, 5);
  EXPECT_EQ(select(on_join(slow), on_timeout(1ms)), 1u);
  EXPECT_THROW(static_cast<void>(on_join(quick)), std::system_error);
  go = true;
  EXPECT_EQ(select(on_join(slow), on_receive(idle, ignore)), 0u);
  EXPECT_EQ(slow.join(), 6);
}

WEFT_TEST(select, is_cancelled_cleanly) {
  weft::channel<std::unique_ptr<int>> in, out;
  auto value = std::make_unique<int>(1);
  auto f = weft::spawn([&] { select(on_receive(in, ignore), on_send(out, std::move(value)), on_timeout(1h)); });
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_NE(value, nullptr);
  EXPECT_FALSE(out.try_receive().has_value());
  EXPECT_FALSE(in.try_send(std::move(value)));
  auto never = weft::spawn([] { weft::select(); });
  never.cancel();
  EXPECT_THROW(never.join(), weft::join_cancelled);
}

WEFT_TEST(select, works_in_a_plain_thread) {
  weft::channel<int> in, out, idle;
  std::thread outside([&] {
    for (int i = 0; i < 20; ++i) {
      int got = -1;
      select(on_receive(in, [&](std::optional<int> value) { got = *value; }), on_receive(idle, ignore));
      select(on_send(out, got), on_receive(idle, ignore), on_timeout(long_enough));
    }
    EXPECT_EQ(select(on_receive(idle, ignore), on_timeout(1ms)), 1u);
  });
  for (int i = 0; i < 20; ++i) {
    in.send(i);
    EXPECT_EQ(out.receive(), i);
  }
  outside.join();
}

WEFT_TEST(select, lets_others_run_where_it_never_waits) {
  weft::channel<int> closed;
  closed.close();
  std::atomic<bool> stop{false};
  auto other = weft::spawn([&] { stop = true; });
  std::size_t rounds = 0;
  for (; !stop && rounds < 100'000'000; ++rounds) select(on_receive(closed, ignore), otherwise());
  EXPECT_TRUE(stop);
  other.join();
}

// --- select_set ----------------------------------------------------------------------------------------------------------

WEFT_TEST(select_set, chooses_among_cases_put_together_at_run_time) {
  constexpr std::size_t many = 50;
  std::vector<std::unique_ptr<weft::channel<std::size_t>>> in;
  weft::select_set set;
  std::size_t sum = 0, open = many;
  for (std::size_t i = 0; i < many; ++i) {
    in.push_back(std::make_unique<weft::channel<std::size_t>>(i % 3));
    EXPECT_EQ(set.add(on_receive(*in[i],
                                 [&, i](std::optional<std::size_t> value) {
                                   if (value.has_value()) {
                                     sum += *value;
                                   } else {
                                     set.disable(i);
                                     --open;
                                   }
                                 })),
              i);
  }
  std::vector<weft::fiber<void>> senders;
  for (std::size_t i = 0; i < many; ++i) {
    senders.push_back(weft::spawn([&, i] {
      for (std::size_t k = 0; k < 20; ++k) in[i]->send(i);
      in[i]->close();
    }));
  }
  while (open > 0) set.select();
  for (auto& f : senders) f.join();
  EXPECT_EQ(sum, 20 * many * (many - 1) / 2);
}

WEFT_TEST(select_set, sends_what_it_refers_to_and_enables_cases_again) {
  weft::channel<int> out(1);
  weft::select_set set;
  int next = 1;
  const std::size_t sending = set.add(on_send(out, std::ref(next), [&] { ++next; }));
  const std::size_t idle = set.add(on_timeout(0s));
  EXPECT_EQ(set.select(), sending);
  EXPECT_EQ(set.select(), idle);
  EXPECT_EQ(out.receive(), 1);
  set.disable(sending);
  EXPECT_EQ(set.select_in_order(), idle);
  set.enable(sending);
  EXPECT_EQ(set.select_in_order(), sending);
  EXPECT_EQ(out.receive(), 2);
  EXPECT_THROW(set.disable(2), std::out_of_range);
  set.clear();
  EXPECT_EQ(set.size(), 0u);
}
