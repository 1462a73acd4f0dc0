// Fibers that never have to wait let others run all the same.
#include "support/with_cores.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>

using namespace weft_test;

namespace {

// Calls `act` until a fiber that was spawned before has run; on one core that has nowhere else to run. It is wanted there,
// so it joins the queue at the end of a round: at most 64 turns, each after 64 calls.
template <class Act>
void expect_a_turn_for_others(Act act) {
  constexpr std::size_t bound = 10'000;
  std::atomic<bool> has_run{false};
  auto other = weft::spawn({.core = weft::this_fiber::core()}, [&] { has_run = true; });
  std::size_t calls = 0;
  for (; !has_run && calls < 100 * bound; ++calls) act();
  EXPECT_TRUE(has_run);
  if (current_setting.cores == 1 && !is_shuffled) {
    EXPECT_LE(calls, bound);
  }
  other.join();
}

}  // namespace

WEFT_TEST(turns, come_from_a_mutex_that_is_never_contended) {
  const weft::pin_guard here;
  weft::mutex m;
  expect_a_turn_for_others([&] { const std::lock_guard hold(m); });
  expect_a_turn_for_others([&] { const std::unique_lock hold(m, 1h); });
}

WEFT_TEST(turns, come_from_a_shared_mutex) {
  const weft::pin_guard here;
  weft::shared_mutex m;
  expect_a_turn_for_others([&] { const std::lock_guard hold(m); });
  expect_a_turn_for_others([&] { const std::shared_lock hold(m); });
}

WEFT_TEST(turns, come_from_a_semaphore_that_has_permits) {
  const weft::pin_guard here;
  weft::semaphore permits(2);
  expect_a_turn_for_others([&] { const weft::semaphore_guard hold(permits); });
}

WEFT_TEST(turns, come_from_events_that_are_set) {
  const weft::pin_guard here;
  weft::event e(true);
  expect_a_turn_for_others([&] { e.wait(); });
  weft::auto_reset_event turn;
  expect_a_turn_for_others([&] {
    turn.set();
    turn.wait();
  });
}

WEFT_TEST(turns, come_from_two_fibers_with_room_in_their_channel) {
  weft::channel<int> ch(1000);
  auto consumer = weft::spawn({.core = weft::this_fiber::core()}, [&] {
    while (ch.receive()) {
    }
  });
  const weft::pin_guard here;
  expect_a_turn_for_others([&] { ch.send(1); });
  ch.close();
  consumer.join();
}

WEFT_TEST(turns, are_not_given_by_what_only_tries) {
  if (current_setting.cores > 1) return;
  weft::mutex m;
  weft::semaphore permits(1);
  std::atomic<bool> has_run{false};
  auto other = weft::spawn([&] { has_run = true; });
  for (int i = 0; i < 1000; ++i) {
    if (m.try_lock()) m.unlock();
    if (permits.try_acquire()) permits.release();
  }
  EXPECT_FALSE(has_run);
  other.join();
}

// A wait that need not suspend is no suspension.
WEFT_TEST(turns, are_not_given_where_that_is_forbidden) {
  if (current_setting.cores > 1) return;
  weft::mutex m;
  weft::semaphore permits(1);
  std::atomic<bool> has_run{false};
  auto other = weft::spawn([&] { has_run = true; });
  {
    const weft::no_suspend mark;
    for (int i = 0; i < 1000; ++i) {
      const std::lock_guard hold(m);
      permits.acquire();
      permits.release();
    }
    EXPECT_FALSE(has_run);
  }
  other.join();
}
