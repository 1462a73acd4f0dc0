// select in all its forms: what blocks and what does not, cases that are never ready, the same channel more than once,
// selects that meet each other.
#include "support/waiting.h"

#include <array>
#include <atomic>
#include <numeric>
#include <optional>
#include <random>

using namespace weft_test;
using weft::on_receive;
using weft::on_send;
using weft::on_timeout;
using weft::otherwise;
using weft::select;

namespace {

constexpr auto ignore = [](auto&&...) {};
constexpr std::size_t never_chosen = 99;

// What a select does that may not wait.
template <class... Cases>
std::size_t at_once(Cases&&... cases) {
  const std::size_t chosen = select(std::forward<Cases>(cases)..., otherwise());
  return chosen == sizeof...(cases) ? never_chosen : chosen;
}

}  // namespace

// --- Ready or not --------------------------------------------------------------------------------------------------------

WEFT_TEST(select_forms, a_case_that_is_not_there_is_never_ready) {
  weft::channel<int>* const none = nullptr;
  EXPECT_EQ(at_once(on_receive(none, ignore)), never_chosen);
  EXPECT_EQ(at_once(on_send(none, 1)), never_chosen);
  EXPECT_EQ(at_once(on_receive(none, ignore), on_send(none, 1), weft::when(false, otherwise())), never_chosen);
  EXPECT_EQ(select(on_receive(none, ignore), on_send(none, 1), on_timeout(100us)), 2u);
}

WEFT_TEST(select_forms, an_empty_channel_takes_nothing_without_a_partner) {
  weft::channel<int> empty;
  EXPECT_EQ(at_once(on_receive(empty, ignore)), never_chosen);
  EXPECT_EQ(at_once(on_send(empty, 1)), never_chosen);
  EXPECT_EQ(at_once(on_receive(empty, ignore), on_send(empty, 1)), never_chosen);
}

WEFT_TEST(select_forms, a_buffer_is_ready_to_send_until_it_is_full_and_to_receive_until_it_is_empty) {
  weft::channel<int> buffer(2);
  EXPECT_EQ(at_once(on_receive(buffer, ignore)), never_chosen);
  EXPECT_EQ(at_once(on_send(buffer, 1)), 0u);
  EXPECT_EQ(at_once(on_send(buffer, 2)), 0u);
  EXPECT_EQ(at_once(on_send(buffer, 3)), never_chosen);
  EXPECT_EQ(at_once(on_send(buffer, 3), on_receive(buffer, [](auto v) { EXPECT_EQ(v, 1); })), 1u);
  EXPECT_EQ(at_once(on_receive(buffer, [](auto v) { EXPECT_EQ(v, 2); })), 0u);
  EXPECT_EQ(at_once(on_receive(buffer, ignore)), never_chosen);
}

WEFT_TEST(select_forms, a_closed_channel_is_ready_and_refuses_what_is_sent) {
  weft::channel<int> closed(1);
  closed.send(7);
  closed.close();
  EXPECT_THROW(at_once(on_send(closed, 1)), weft::channel_closed);
  EXPECT_EQ(at_once(on_receive(closed, [](auto v) { EXPECT_EQ(v, 7); })), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(at_once(on_receive(closed, [](auto v) { EXPECT_FALSE(v); })), 0u);
  EXPECT_THROW(select(on_send(closed, 1)), weft::channel_closed);
}

WEFT_TEST(select_forms, a_waiting_select_learns_that_its_channel_closes) {
  weft::channel<int> in, out, idle;
  auto receives = weft::spawn([&] { return select(on_receive(idle, ignore), on_receive(in, ignore)); });
  auto sends = weft::spawn([&] { select(on_receive(idle, ignore), on_send(out, 1)); });
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  in.close();
  out.close();
  EXPECT_EQ(receives.join(), 1u);
  EXPECT_THROW(sends.join(), weft::channel_closed);
}

WEFT_TEST(select_forms, without_any_case_waits_until_it_is_cancelled) {
  for (int form = 0; form < 2; ++form) {
    auto waits = weft::spawn([form] {
      weft::channel<int>* const none = nullptr;
      form == 0 ? weft::select() : weft::select(on_receive(none, ignore), weft::when(false, on_timeout(0ms)));
    });
    for (int i = 0; i < 5; ++i) weft::this_fiber::yield();
    EXPECT_FALSE(waits.done());
    waits.cancel();
    EXPECT_TRUE(ended_cancelled(waits));
  }
}

WEFT_TEST(select_forms, runs_the_handler_of_the_chosen_case_once_and_passes_its_exception_on) {
  weft::channel<int> ready(2);
  ready.send(1);
  int calls = 0;
  EXPECT_THROW(select(on_receive(ready,
                                 [&](std::optional<int>) {
                                   ++calls;
                                   throw std::runtime_error("the handler's own");
                                 }),
                      otherwise([&] { ++calls; })),
               std::runtime_error);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(ready.size(), 0u);  // The case was done.
}

WEFT_TEST(select_forms, a_handler_may_select_and_wait_itself) {
  weft::channel<int> outer(1), inner;
  outer.send(1);
  auto sender = weft::spawn([&] { inner.send(5); });
  int got = 0;
  select(on_receive(outer, [&](std::optional<int>) {
    select(on_receive(inner, [&](std::optional<int> v) { got = *v; }), on_timeout(long_enough));
  }));
  EXPECT_EQ(got, 5);
  sender.join();
}

// --- The same channel more than once ---------------------------------------------------------------------------------------

WEFT_TEST(select_forms, the_same_channel_twice_takes_one_value) {
  weft::channel<int> buffer(3), meeting;
  for (int i = 0; i < 3; ++i) buffer.send(i);
  EXPECT_LT(select(on_receive(buffer, ignore), on_receive(buffer, ignore)), 2u);
  EXPECT_EQ(buffer.size(), 2u);
  auto receiver = weft::spawn([&] { return *meeting.receive() + *meeting.receive(); });
  for (int i = 0; i < 2; ++i) EXPECT_LT(select(on_send(meeting, 4), on_send(meeting, 4)), 2u);
  EXPECT_EQ(receiver.join(), 8);
  auto sender = weft::spawn([&] { meeting.send(9); });
  int got = 0;
  const auto take = [&](std::optional<int> v) { got = *v; };
  EXPECT_LT(select(on_receive(meeting, take), on_receive(meeting, take), on_receive(meeting, take)), 3u);
  EXPECT_EQ(got, 9);
  sender.join();
  EXPECT_FALSE(meeting.try_send(1));  // No case is left behind.
}

WEFT_TEST(select_forms, two_that_send_and_receive_on_one_channel_meet) {
  weft::channel<int> meeting;
  const int rounds = static_cast<int>(repeated(500, 50));
  const auto play = [&](int mine) {
    for (int i = 0; i < rounds; ++i) {
      select(on_send(meeting, mine), on_receive(meeting, [&](std::optional<int> v) { EXPECT_EQ(*v, 1 - mine); }));
    }
  };
  auto other = weft::spawn([&] { play(1); });
  play(0);
  other.join();
}

// --- Left-overs ------------------------------------------------------------------------------------------------------------

// A case that lost must leave the middle of a line as well as its ends, and disturb nobody there.
WEFT_TEST(select_forms, a_losing_case_leaves_the_line_to_those_before_and_behind) {
  weft::channel<int> line, other;
  const weft::pin_guard stay;
  auto before = begin_here([&] { return *line.receive(); });
  auto middle = begin_here([&] { return select(on_receive(line, ignore), on_receive(other, ignore)); });
  auto behind = begin_here([&] { return *line.receive(); });
  other.send(0);
  EXPECT_EQ(middle.join(), 1u);
  line.send(1);
  line.send(2);
  EXPECT_EQ(before.join(), 1);
  EXPECT_EQ(behind.join(), 2);
}

WEFT_TEST(select_forms, a_timeout_leaves_no_sender_in_the_line) {
  weft::channel<int> line;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(select(on_send(line, i), on_timeout(10us)), 1u);
  EXPECT_FALSE(line.try_receive());
  auto sender = weft::spawn([&] { line.send(5); });
  EXPECT_EQ(line.receive(), 5);
  sender.join();
}

WEFT_TEST(select_forms, otherwise_is_not_chosen_where_a_value_stays) {
  const std::size_t rounds = repeated(1'000, 100);
  weft::channel<int> moving(1), staying(1);
  staying.send(1);
  std::atomic<bool> stop{false};
  auto moves = weft::spawn([&] {
    while (!stop) {
      moving.try_send(1);
      static_cast<void>(moving.try_receive());
      weft::this_fiber::yield();
    }
  });
  for (std::size_t i = 0; i < rounds; ++i) {
    const std::size_t chosen = at_once(on_receive(moving, ignore), on_receive(staying, ignore));
    ASSERT_NE(chosen, never_chosen);
    if (chosen == 1) staying.send(1);
  }
  stop = true;
  moves.join();
}

// --- Many ------------------------------------------------------------------------------------------------------------------

// Sends a random bit by a select of two sends: each comes about as often.
WEFT_TEST(select_forms, of_two_sends_on_one_channel_each_comes_as_often) {
  for (const std::size_t capacity : {0u, 100u}) {
    weft::channel<int> bits(capacity);
    const int count = static_cast<int>(repeated(2'000, 400));
    auto receiver = weft::spawn([&] {
      int ones = 0;
      for (const int bit : bits) ones += bit;
      return ones;
    });
    for (int i = 0; i < count; ++i) select(on_send(bits, 0), on_send(bits, 1));
    bits.close();
    const int ones = receiver.join();
    EXPECT_GT(ones, count / 3);
    EXPECT_LT(ones, 2 * count / 3);
  }
}

// Four channels, four plain senders and receivers, and one select that does all of them, in both directions.
WEFT_TEST(select_forms, one_select_serves_four_channels_in_both_directions) {
  std::array<weft::channel<int>, 4> to{weft::channel<int>(0), weft::channel<int>(0), weft::channel<int>(2),
                                       weft::channel<int>(3)};
  const int each = static_cast<int>(repeated(300, 50));
  std::vector<weft::fiber<void>> crew;
  for (auto& ch : to) {
    crew.push_back(weft::spawn([&] {
      for (int i = 0; i < each; ++i) ch.send(i);
    }));
    crew.push_back(weft::spawn([&] {
      for (int i = 0; i < each; ++i) static_cast<void>(*ch.receive());
    }));
  }
  const auto serve = [&](bool sends) {
    std::array<int, 4> done{};
    for (int all = 0; all < 4 * each; ++all) {
      const auto open = [&](std::size_t k) { return done[k] < each ? &to[k] : nullptr; };
      const std::size_t at =
          sends ? select(on_send(open(3), 1), on_send(open(2), 1), on_send(open(0), 1), on_send(open(1), 1))
                : select(on_receive(open(0), ignore), on_receive(open(1), ignore), on_receive(open(2), ignore),
                         on_receive(open(3), ignore));
      constexpr std::array<std::size_t, 4> of_sends{3, 2, 0, 1};
      ++done[sends ? of_sends[at] : at];
    }
  };
  auto sender = weft::spawn([&] { serve(true); });
  auto receiver = weft::spawn([&] { serve(false); });
  sender.join();
  receiver.join();
  for (auto& f : crew) f.join();
  for (auto& ch : to) EXPECT_EQ(ch.size(), 0u);
}

// Random selects over random cases against a count: what `otherwise` says must be true of a channel nobody else uses.
WEFT_TEST(select_forms, a_random_mix_over_own_buffers_agrees_with_a_count) {
  std::mt19937_64 random(7);
  std::array<weft::channel<int>, 3> buffers{weft::channel<int>(1), weft::channel<int>(2), weft::channel<int>(5)};
  constexpr std::array<std::size_t, 3> rooms{1, 2, 5};
  std::array<std::size_t, 3> held{};
  int value = 1;
  for (std::size_t round = 0; round < repeated(3'000, 500); ++round) {
    weft::select_set cases;
    std::vector<bool> is_ready, is_send;
    std::vector<std::size_t> about;
    for (std::size_t n = random() % 5; n-- > 0;) {
      const std::size_t k = random() % 3;
      about.push_back(k);
      is_send.push_back(random() % 2 == 0);
      is_ready.push_back(is_send.back() ? held[k] < rooms[k] : held[k] > 0);
      is_send.back() ? cases.add(on_send(buffers[k], std::ref(value))) : cases.add(on_receive(buffers[k], ignore));
    }
    const std::size_t last = cases.add(otherwise());
    const std::size_t chosen = cases.select();
    if (chosen == last) {
      for (const bool ready : is_ready) EXPECT_FALSE(ready);
    } else {
      EXPECT_TRUE(is_ready[chosen]);
      is_send[chosen] ? ++held[about[chosen]] : --held[about[chosen]];
    }
  }
}

// A chain of fibers, each of which passes one value on.
WEFT_TEST(select_forms, a_value_runs_through_a_long_chain_of_fibers) {
  const std::size_t length = repeated(2'000, 100);
  std::vector<weft::channel<int>> links(length + 1);
  std::vector<weft::fiber<void>> crew;
  for (std::size_t i = 0; i < length; ++i) {
    crew.push_back(weft::spawn([&, i] {
      int value = 0;
      select(on_receive(links[i], [&](std::optional<int> v) { value = *v; }));
      select(on_send(links[i + 1], value + 1));
    }));
  }
  links[0].send(0);
  EXPECT_EQ(links[length].receive(), static_cast<int>(length));
  for (auto& f : crew) f.join();
}

// What was done before a send, or before a close, is seen by whom it reaches.
WEFT_TEST(select_forms, orders_what_was_done_before) {
  for (std::size_t i = 0; i < repeated(300, 50); ++i) {
    int by_send = 0, by_close = 0;
    weft::channel<int> sent, closed, idle;
    auto one = weft::spawn([&] {
      by_send = 1;
      select(on_send(sent, 1), on_receive(idle, ignore));
    });
    auto two = weft::spawn([&] {
      by_close = 2;
      closed.close();
    });
    select(on_receive(idle, ignore), on_receive(sent, ignore));
    EXPECT_EQ(by_send, 1);
    select(on_receive(idle, ignore), on_receive(closed, ignore));
    EXPECT_EQ(by_close, 2);
    one.join();
    two.join();
  }
}
