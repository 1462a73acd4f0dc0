// Selects over what is no channel: events, futures, ends of fibers, all together.
#include "support/with_cores.h"

#include <atomic>
#include <stdexcept>
#include <string>

using namespace weft_test;

WEFT_TEST(select_event, is_chosen_when_it_is_set_before_or_later) {
  weft::event told(true);
  weft::event never_told;
  EXPECT_EQ(weft::select(weft::on_event(never_told), weft::on_event(told)), 1u);
  EXPECT_TRUE(told.is_set());
  told.clear();
  auto teller = weft::spawn([&] { told.set(); });
  EXPECT_EQ(weft::select(weft::on_event(never_told), weft::on_event(told)), 1u);
  teller.join();
}

WEFT_TEST(select_event, goes_through_even_if_the_event_is_cleared_at_once) {
  weft::event told;
  std::atomic<bool> waits{false};
  auto waiter = weft::spawn([&] {
    waits = true;
    return weft::select(weft::on_event(told), weft::on_timeout(1h));
  });
  ASSERT_TRUE(yield_until([&] { return waits.load(); }));
  while (!waiter.done()) {
    told.set();
    told.clear();
    weft::this_fiber::yield();
  }
  EXPECT_EQ(waiter.join(), 0u);
}

WEFT_TEST(select_event, uses_up_an_auto_reset_event_only_if_it_is_chosen) {
  weft::auto_reset_event first(true);
  weft::auto_reset_event second(true);
  const std::size_t chosen = weft::select(weft::on_event(first), weft::on_event(second));
  EXPECT_EQ(first.is_set(), chosen != 0);
  EXPECT_EQ(second.is_set(), chosen != 1);
  EXPECT_EQ(weft::select_in_order(weft::on_event(first), weft::on_event(second), weft::otherwise()), 1 - chosen);
  EXPECT_EQ(weft::select(weft::on_event(first), weft::on_event(second), weft::otherwise()), 2u);
}

// Each set() lets exactly one of many selects through, whatever their other cases do meanwhile.
WEFT_TEST(select_event, loses_no_set_to_a_case_that_was_not_chosen) {
  const std::size_t rounds = repeated(300, 60);
  weft::auto_reset_event turn;
  weft::auto_reset_event other;
  std::atomic<std::size_t> through{0};
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) {
    crew.push_back(weft::spawn([&] {
      for (;;) {
        const std::size_t chosen = weft::select(weft::on_event(turn), weft::on_event(other), weft::on_timeout(20us));
        if (chosen == 0) ++through;
      }
    }));
  }
  for (std::size_t i = 0; i < rounds; ++i) {
    turn.set();
    other.set();
    ASSERT_TRUE(yield_until([&] { return through == i + 1; })) << i;
  }
  for (auto& each : crew) each.cancel();
}

WEFT_TEST(select_future, is_chosen_when_the_future_has_its_outcome) {
  weft::promise<int> later;
  auto result = later.get_future();
  EXPECT_EQ(weft::select(weft::on_ready(result), weft::on_timeout(1ms)), 1u);
  auto producer = weft::spawn([&] { later.set_value(7); });
  EXPECT_EQ(weft::select(weft::on_ready(result), weft::on_timeout(1h)), 0u);
  EXPECT_EQ(result.get(), 7);
  producer.join();
}

WEFT_TEST(select_future, that_has_no_state_is_an_error) {
  weft::future<int> none;
  EXPECT_THROW(static_cast<void>(weft::select(weft::on_ready(none))), std::exception);
}

WEFT_TEST(select_mixed, takes_one_of_everything) {
  weft::channel<int> numbers(1);
  weft::event told;
  weft::promise<void> later;
  auto done = later.get_future();
  auto fiber = weft::spawn([] { weft::this_fiber::sleep_for(1h); });
  for (std::size_t wanted = 0; wanted < 4; ++wanted) {
    if (wanted == 0) numbers.send(5);
    if (wanted == 1) told.set();
    if (wanted == 2) later.set_value();
    if (wanted == 3) fiber.cancel();
    int got = 0;
    const std::size_t chosen =
        weft::select(weft::on_receive(numbers, [&](std::optional<int> value) { got = *value; }),
                     weft::when(wanted <= 1, weft::on_event(told)), weft::when(wanted <= 2, weft::on_ready(done)),
                     weft::on_join(fiber), weft::on_timeout(1h));
    EXPECT_EQ(chosen, wanted);
    EXPECT_EQ(got, wanted == 0 ? 5 : 0);
  }
}

WEFT_TEST(select_mixed, obeys_a_timeout_around_it) {
  weft::event told;
  EXPECT_THROW(weft::with_timeout(1ms, [&] { static_cast<void>(weft::select(weft::on_event(told))); }),
               weft::timed_out);
}
