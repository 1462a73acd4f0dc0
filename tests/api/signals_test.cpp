// Signals of the process as something to wait for, in calls and in selects.
#include "support/errors_of.h"
#include "support/waiting.h"

#include <unistd.h>

#include <csignal>
#include <vector>

using namespace weft_test;
using weft::on_receive;
using weft::on_signal;
using weft::on_timeout;
using weft::otherwise;
using weft::select;
using weft::signal_info;
using weft::signals;

namespace {

constexpr auto ignore = [](auto&&...) {};

// What every program does that waits for signals: its first thread blocks them, and the others inherit that.
const bool is_blocked = [] {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int number : {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, SIGRTMIN + 1}) sigaddset(&wanted, number);
  return pthread_sigmask(SIG_BLOCK, &wanted, nullptr) == 0;
}();

void tell(int number) { ASSERT_EQ(kill(getpid(), number), 0); }

std::error_code code_of_making(std::initializer_list<int> numbers) {
  return error_of([&] { signals refused(numbers); });
}

}  // namespace

WEFT_TEST_EACH_REACTOR(signals, are_received_by_who_waits_and_by_who_comes_later) {
  ASSERT_TRUE(is_blocked);
  signals mine({SIGUSR1});
  tell(SIGUSR1);
  const signal_info early = mine.receive();
  EXPECT_EQ(early.number, SIGUSR1);
  EXPECT_EQ(early.process, getpid());
  EXPECT_EQ(early.user, getuid());
  for (int i = 0; i < 20; ++i) {
    auto sender = weft::spawn([] { tell(SIGUSR1); });
    EXPECT_EQ(mine.receive().number, SIGUSR1);
    sender.join();
  }
  EXPECT_FALSE(mine.try_receive());
}

WEFT_TEST(signals, of_one_object_come_with_their_numbers_and_values) {
  signals mine({SIGUSR1, SIGRTMIN + 1});
  for (int i = 1; i <= 3; ++i) ASSERT_EQ(sigqueue(getpid(), SIGRTMIN + 1, {.sival_int = i}), 0);
  tell(SIGUSR1);
  EXPECT_EQ(mine.receive().number, SIGUSR1);  // The lower number first.
  for (int i = 1; i <= 3; ++i) {
    const signal_info next = mine.receive();
    EXPECT_EQ(next.number, SIGRTMIN + 1);
    EXPECT_EQ(next.value, i);
  }
}

WEFT_TEST(signals, that_come_twice_before_they_are_received_are_one) {
  signals mine({SIGUSR1});
  tell(SIGUSR1);
  tell(SIGUSR1);
  EXPECT_TRUE(mine.try_receive());
  EXPECT_FALSE(mine.try_receive());
}

WEFT_TEST_EACH_REACTOR(signals, a_deadline_ends_the_wait_without_an_error) {
  signals mine({SIGUSR1});
  EXPECT_FALSE(mine.receive_for(1ms));
  EXPECT_FALSE(mine.receive_for(0ms));
  std::error_code ec = std::make_error_code(std::errc::io_error);
  EXPECT_FALSE(mine.receive_for(1ms, ec));
  EXPECT_FALSE(ec);
  tell(SIGUSR1);
  EXPECT_EQ(mine.receive_for(long_enough).value().number, SIGUSR1);
  tell(SIGUSR1);
  EXPECT_EQ(mine.receive_until(weft::deadline::never(), ec).value().number, SIGUSR1);
  EXPECT_FALSE(ec);
}

WEFT_TEST(signals, a_cancelled_wait_takes_none) {
  signals mine({SIGUSR1});
  auto waiting = weft::spawn([&] { mine.receive(); });
  weft::this_fiber::yield();
  waiting.cancel();
  EXPECT_TRUE(ended_cancelled(waiting));
  auto told = weft::spawn([&] {
    std::error_code ec;
    mine.receive(ec);
    EXPECT_EQ(ec, std::errc::operation_canceled);
  });
  told.cancel();
  static_cast<void>(ended_cancelled(told));
  tell(SIGUSR1);
  EXPECT_TRUE(mine.try_receive());
}

WEFT_TEST_EACH_REACTOR(signals, are_cases_of_a_select) {
  signals mine({SIGUSR1, SIGUSR2});
  weft::channel<int> numbers;
  EXPECT_EQ(select(on_signal(mine, ignore), otherwise()), 1U);
  EXPECT_EQ(select(on_signal(mine, ignore), on_timeout(1ms)), 1U);
  for (int i = 0; i < 20; ++i) {
    auto sender = weft::spawn([i] { tell(i % 2 == 0 ? SIGUSR1 : SIGUSR2); });
    signal_info taken;
    EXPECT_EQ(select(on_receive(numbers, ignore), on_signal(mine, taken), on_timeout(long_enough)), 1U);
    EXPECT_EQ(taken.number, i % 2 == 0 ? SIGUSR1 : SIGUSR2);
    EXPECT_EQ(taken.process, getpid());
    sender.join();
  }
  EXPECT_FALSE(mine.try_receive());
}

WEFT_TEST(signals, a_case_that_is_not_chosen_takes_none) {
  signals mine({SIGUSR1});
  weft::channel<int> numbers(1);
  for (int i = 0; i < 20; ++i) {
    numbers.send(i);
    tell(SIGUSR1);
    EXPECT_EQ(weft::select_in_order(on_receive(numbers, ignore), on_signal(mine, ignore)), 0U);
    EXPECT_EQ(mine.receive().number, SIGUSR1);
  }
  // Chosen by somebody else while it waits.
  auto waiting = weft::spawn([&] { return select(on_receive(numbers, ignore), on_signal(mine, ignore)); });
  weft::this_fiber::yield();
  numbers.send(1);
  EXPECT_EQ(waiting.join(), 0U);
  tell(SIGUSR1);
  EXPECT_TRUE(mine.receive_for(long_enough));
}

WEFT_TEST(signals, two_selects_of_two_objects_share_what_comes_and_lose_none) {
  signals one({SIGRTMIN + 1});
  signals other({SIGRTMIN + 1});
  weft::channel<int> stop;
  constexpr int all = 40;
  std::atomic<int> received{0};
  const auto take = [&](signals& from) {
    bool goes_on = true;
    while (goes_on) {
      select(on_signal(from, [&](signal_info) { received.fetch_add(1); }),
             on_receive(stop, [&](std::optional<int>) { goes_on = false; }));
    }
  };
  auto first = weft::spawn([&] { take(one); });
  auto second = weft::spawn([&] { take(other); });
  for (int i = 0; i < all; ++i) ASSERT_EQ(sigqueue(getpid(), SIGRTMIN + 1, {.sival_int = i}), 0);
  EXPECT_TRUE(yield_until([&] { return received.load() == all; }));
  stop.close();
  first.join();
  second.join();
  EXPECT_FALSE(one.try_receive());
}

WEFT_TEST(signals, one_fiber_at_a_time_waits) {
  const weft::pin_guard here;
  signals mine({SIGUSR1});
  auto waiting = begin_here([&] { return mine.receive().number; });
  EXPECT_TRUE(
      yield_until([&] { return error_of([&] { mine.receive_for(0ms); }) == std::errc::device_or_resource_busy; }));
  EXPECT_EQ(error_of([&] { select(on_signal(mine, ignore), on_timeout(1ms)); }), std::errc::device_or_resource_busy);
  tell(SIGUSR1);
  EXPECT_EQ(waiting.join(), SIGUSR1);
}

WEFT_TEST(signals, move_with_what_is_pending) {
  signals first({SIGUSR1});
  tell(SIGUSR1);
  signals second = std::move(first);
  EXPECT_EQ(second.receive().number, SIGUSR1);
  signals third({SIGUSR2});
  third = std::move(second);
  tell(SIGUSR1);
  EXPECT_EQ(third.receive().number, SIGUSR1);
}

TEST(signals, one_object_serves_one_runtime_after_the_other) {
  signals mine({SIGTERM});
  for (int i = 0; i < 3; ++i) {
    tell(SIGTERM);
    EXPECT_EQ(weft::run([&] { return mine.receive().number; }), SIGTERM);
    weft::run([&] { EXPECT_EQ(select(on_signal(mine, ignore), on_timeout(1ms)), 1U); });
  }
}

TEST(signals, are_waited_for_by_fibers_of_one_runtime_only) {
  signals mine({SIGTERM});
  EXPECT_EQ(error_of([&] { mine.receive(); }), std::errc::operation_not_permitted);
  EXPECT_EQ(error_of([&] { select(on_signal(mine, ignore)); }), std::errc::operation_not_permitted);
  EXPECT_FALSE(mine.try_receive());
  weft::run([&] {
    EXPECT_FALSE(mine.receive_for(1ms));
    on_plain_thread([&] {
      weft::runtime other;
      other.spawn([&] { EXPECT_EQ(error_of([&] { mine.receive(); }), std::errc::operation_not_permitted); }).join();
    });
  });
}

// Those who ask again and again are turned away while the first runtime lives, and then watch it in its place.
TEST(signals, pass_to_the_fibers_of_another_runtime_when_the_first_has_ended) {
  weft::options two_cores;
  two_cores.cores = 2;
  weft::runtime other(two_cores);
  for (std::size_t i = 0; i < repeated(60, 20); ++i) {
    signals mine({SIGTERM});
    std::vector<weft::fiber<void>> asking;
    std::atomic<int> turned_away{0};
    {
      weft::runtime first(two_cores);
      first.spawn([&] { EXPECT_FALSE(mine.receive_for(0ms)); }).join();
      for (std::size_t core = 0; core < 2; ++core) {
        asking.push_back(other.spawn({.core = core}, [&] {
          std::error_code ec = std::make_error_code(std::errc::operation_not_permitted);
          while (ec == std::errc::operation_not_permitted) {
            EXPECT_FALSE(mine.receive_for(0ms, ec));
            ++turned_away;
          }
          EXPECT_TRUE(!ec || ec == std::errc::device_or_resource_busy) << ec.message();
        }));
      }
      EXPECT_TRUE(eventually([&] { return turned_away > 10; }));
    }
    for (auto& each : asking) each.join();
  }
}

TEST(signals, that_cannot_be_received_are_refused_by_name) {
  EXPECT_EQ(code_of_making({}), std::errc::invalid_argument);
  for (const int never_received : {SIGKILL, SIGSTOP, SIGSEGV, SIGABRT, SIGFPE, SIGPROF, 0, -1, 10000}) {
    EXPECT_EQ(code_of_making({SIGUSR1, never_received}), std::errc::invalid_argument) << never_received;
  }
  EXPECT_TRUE(contains(message_of([] { signals refused({SIGKILL}); }), "weft::signals for 9"));
}

#ifdef __linux__
TEST(signals, that_another_thread_does_not_block_are_refused_by_name) {
  std::atomic<bool> is_over{false};
  std::atomic<bool> has_begun{false};
  std::thread open([&] {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &wanted, nullptr);
    has_begun = true;
    eventually([&] { return is_over.load(); });
  });
  EXPECT_TRUE(eventually([&] { return has_begun.load(); }));
  EXPECT_EQ(code_of_making({SIGUSR1, SIGHUP}), std::errc::operation_not_permitted);
  EXPECT_TRUE(contains(message_of([] { signals refused({SIGHUP}); }), "does not block signal 1"));
  is_over = true;
  open.join();
  // The kernel takes a joined thread off the list a moment later.
  EXPECT_TRUE(eventually([] { return !code_of_making({SIGHUP}); }));
}
#endif
