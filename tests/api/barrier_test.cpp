// Barriers: phases, steps, and how they break.
#include "support/waiting.h"

#include <memory>
#include <stdexcept>

using namespace weft_test;

namespace {

template <class Call>
bool breaks(Call call) {
  try {
    call();
  } catch (const weft::broken_barrier&) {
    return true;
  }
  return false;
}

}  // namespace

WEFT_TEST(barrier, keeps_a_crew_in_step) {
  constexpr std::size_t size = 5;
  const std::size_t rounds = repeated(100, 30);
  std::size_t steps = 0;
  std::vector<std::size_t> at(size + 1, 0);
  weft::barrier meet(size + 1, [&]() noexcept {
    ++steps;
    for (const std::size_t each : at) EXPECT_EQ(each, steps);
  });
  std::vector<weft::fiber<void>> crew;
  const auto play = [&](std::size_t me) {
    for (std::size_t i = 0; i < rounds; ++i) {
      ++at[me];
      meet.arrive_and_wait();
    }
  };
  for (std::size_t me = 0; me < size; ++me) crew.push_back(weft::spawn(play, me));
  std::thread outside(play, size);
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_EQ(steps, rounds);
}

WEFT_TEST(barrier, of_one_never_waits) {
  weft::barrier alone(1);
  for (int i = 0; i < 3; ++i) alone.arrive_and_wait();
  EXPECT_TRUE(alone.arrive_and_wait_for(-1h));
  EXPECT_EQ(alone.pending(), 1u);
}

WEFT_TEST(barrier, remembers_all_phases_that_were_broken_one_after_the_other) {
  weft::barrier meet(2);
  auto of_whole = meet.arrive(2);
  auto of_first = meet.arrive();
  meet.reset();
  auto of_second = meet.arrive();
  meet.reset();
  EXPECT_TRUE(breaks([&] { meet.wait(std::move(of_first)); }));
  EXPECT_TRUE(breaks([&] { meet.wait(std::move(of_second)); }));
  EXPECT_FALSE(breaks([&] { meet.wait(std::move(of_whole)); }));
}

WEFT_TEST(barrier, splits_arrival_from_waiting) {
  weft::barrier meet(3);
  auto token = meet.arrive();
  EXPECT_EQ(meet.pending(), 2u);
  auto other = weft::spawn([&] { meet.wait(meet.arrive(2)); });
  meet.wait(std::move(token));
  other.join();
  EXPECT_EQ(meet.pending(), 3u);
}

WEFT_TEST(barrier, goes_on_with_those_that_are_left) {
  weft::barrier meet(3);
  auto leaver = weft::spawn([&] { meet.arrive_and_drop(); });
  auto stayer = weft::spawn([&] {
    meet.arrive_and_wait();
    meet.arrive_and_wait();
  });
  meet.arrive_and_wait();
  meet.arrive_and_wait();
  leaver.join();
  stayer.join();
  EXPECT_EQ(meet.expected(), 2u);
}

WEFT_TEST(barrier, breaks_when_a_wait_gives_up) {
  const weft::pin_guard stay;
  weft::barrier meet(3);
  auto waits = begin_here([&] { return breaks([&] { meet.arrive_and_wait(); }); });
  EXPECT_FALSE(meet.arrive_and_wait_for(1ms));
  EXPECT_TRUE(waits.join());
  EXPECT_TRUE(meet.is_broken());
  EXPECT_TRUE(breaks([&] { meet.arrive_and_wait(); }));
  EXPECT_TRUE(breaks([&] { static_cast<void>(meet.arrive()); }));
  meet.reset();
  EXPECT_FALSE(meet.is_broken());
  EXPECT_EQ(meet.pending(), 3u);
}

WEFT_TEST(barrier, breaks_when_a_wait_is_cancelled) {
  const weft::pin_guard stay;
  weft::barrier meet(3);
  auto waits = begin_here([&] { return breaks([&] { meet.arrive_and_wait(); }); });
  auto cancelled = begin_here([&] { meet.arrive_and_wait(); });
  cancelled.cancel();
  EXPECT_TRUE(ended_cancelled(cancelled));
  EXPECT_TRUE(waits.join());
}

WEFT_TEST(barrier, breaks_when_asked_and_heals_by_reset) {
  const weft::pin_guard stay;
  weft::barrier meet(2);
  auto first = begin_here([&] { return breaks([&] { meet.arrive_and_wait(); }); });
  meet.abort();
  EXPECT_TRUE(first.join());
  meet.arrive_and_drop();
  meet.reset();
  EXPECT_EQ(meet.expected(), 1u);
  meet.arrive_and_wait();
}

WEFT_TEST(barrier, reset_sends_those_away_that_wait) {
  const weft::pin_guard stay;
  weft::barrier meet(2);
  auto waits = begin_here([&] { return breaks([&] { meet.arrive_and_wait(); }); });
  auto token = weft::barrier<>::arrival_token(meet.arrive(0));
  meet.reset();
  EXPECT_TRUE(waits.join());
  EXPECT_TRUE(breaks([&] { meet.wait(std::move(token)); }));
  auto partner = weft::spawn([&] { meet.arrive_and_wait(); });
  meet.arrive_and_wait();
  partner.join();
}

WEFT_TEST(barrier, a_step_that_throws_breaks_it_and_tells_its_caller) {
  const weft::pin_guard stay;
  weft::barrier meet(2, [] { throw std::logic_error("step"); });
  auto waits = begin_here([&] { return breaks([&] { meet.arrive_and_wait(); }); });
  EXPECT_THROW(meet.arrive_and_wait(), std::logic_error);
  EXPECT_TRUE(waits.join());
  EXPECT_TRUE(meet.is_broken());
}

WEFT_TEST(barrier, a_step_may_wait) {
  weft::event go;
  int steps = 0;
  weft::barrier meet(2, [&] {
    go.wait();
    ++steps;
  });
  auto partner = weft::spawn([&] { meet.arrive_and_wait(); });
  auto opener = weft::spawn([&] { go.set(); });
  meet.arrive_and_wait();
  EXPECT_EQ(steps, 1);
  partner.join();
  opener.join();
}

WEFT_TEST(barrier, abort_during_the_step_is_seen) {
  const weft::pin_guard stay;
  weft::event in_step, go;
  weft::barrier meet(2, [&] {
    in_step.set();
    go.wait();
  });
  auto first = begin_here([&] { return breaks([&] { meet.arrive_and_wait(); }); });
  auto last = begin_here([&] { return breaks([&] { meet.arrive_and_wait(); }); });
  in_step.wait();
  EXPECT_EQ(error_of([&] { static_cast<void>(meet.arrive()); }), std::errc::invalid_argument);
  meet.abort();
  EXPECT_TRUE(first.join());
  go.set();
  EXPECT_TRUE(last.join());
}

WEFT_TEST(barrier, refuses_more_than_are_expected) {
  weft::barrier meet(2);
  EXPECT_TRUE(contains(message_of([&] { static_cast<void>(meet.arrive(3)); }),
                       "weft::barrier::arrive: 3 arrive, but only 2 are still expected"));
  weft::barrier nobody(0);
  EXPECT_EQ(error_of([&] { nobody.arrive_and_drop(); }), std::errc::invalid_argument);
  EXPECT_EQ(error_of([] { weft::barrier<> many(weft::barrier<>::max() + 1); }), std::errc::invalid_argument);
}

WEFT_TEST(barrier, may_be_destroyed_as_soon_as_a_wait_returns) {
  for (std::size_t i = 0; i < repeated(1'000, 100); ++i) {
    auto meet = std::make_unique<weft::barrier<>>(2);
    auto waits = weft::spawn([&meet] {
      meet->wait(meet->arrive());
      meet.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    weft::barrier<>* const same = meet.get();
    if (!yield_until([&] { return same->pending() == 1; })) break;
    same->arrive_and_drop();
    waits.join();
  }
}

TEST(barrier, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               auto meet = std::make_unique<weft::barrier<>>(2);
               const weft::pin_guard stay;
               auto waits = begin_here([&] { meet->arrive_and_wait(); });
               meet.reset();
             }),
             "barrier is destroyed while it is waited for");
}
