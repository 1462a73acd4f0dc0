// Callbacks of fibers and futures: when they run, in which order, and what becomes of their errors.
#include "support/counted.h"
#include "support/with_cores.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace weft_test;

namespace {

// What the runtime of a test was told of lost errors.
struct lost_texts {
  std::mutex gate;
  std::vector<std::string> texts;

  void note(const weft::lost_error& lost) {
    try {
      std::rethrow_exception(lost.error);
    } catch (const std::exception& error) {
      const std::lock_guard hold(gate);
      texts.emplace_back(error.what());
    }
  }
};

template <class Body>
void with_noted_errors(lost_texts& lost, Body body) {
  with_cores(adaptive_only, body,
             [&](weft::options& o) { o.on_lost_error = [&lost](const weft::lost_error& error) { lost.note(error); }; });
}

}  // namespace

WEFT_TEST(on_done, of_a_fiber_is_called_after_its_end) {
  std::atomic<int> ended{0}, called{0};
  std::atomic<bool> go{false};
  auto f = weft::spawn([&] {
    while (!go) weft::this_fiber::yield();
    ++ended;
  });
  f.on_done([&] { called = ended + 1; });
  go = true;
  f.join();
  EXPECT_TRUE(yield_until([&] { return called != 0; }));
  EXPECT_EQ(called, 2);
}

WEFT_TEST(on_done, of_an_ended_fiber_is_called_at_once_on_the_caller) {
  auto f = weft::spawn([] { return 1; });
  ASSERT_TRUE(yield_until([&] { return f.done(); }));
  std::uint64_t where = 0;
  f.on_done([&] { where = weft::this_fiber::id(); });
  EXPECT_EQ(where, weft::this_fiber::id());
  EXPECT_EQ(f.join(), 1);
  EXPECT_THROW(f.on_done([] {}), std::system_error);
}

WEFT_TEST(on_done, is_called_for_errors_and_for_fibers_that_never_ran) {
  std::atomic<int> called{0};
  auto thrower = weft::spawn([] { throw std::runtime_error("no"); });
  thrower.on_done([&] { ++called; });
  EXPECT_THROW(thrower.join(), std::runtime_error);
  auto unwanted = weft::spawn([] {});
  unwanted.on_done([&] { ++called; });
  unwanted.cancel();
  unwanted.detach();
  EXPECT_TRUE(yield_until([&] { return called == 2; }));
}

WEFT_TEST(on_done, callbacks_run_in_order_of_registration) {
  std::vector<int> order;
  weft::promise<void> p;
  auto f = p.get_future();
  for (int i = 0; i < 5; ++i) f.on_done([&order, i] { order.push_back(i); });
  EXPECT_TRUE(order.empty());
  p.set_value();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
  f.on_done([&order] { order.push_back(5); });
  EXPECT_EQ(order.size(), 6u);
}

WEFT_TEST(on_done, callbacks_stand_among_waiters) {
  std::atomic<int> called{0};
  weft::promise<int> p;
  const auto all = p.get_future().share();
  std::vector<weft::fiber<int>> waiters;
  for (int i = 0; i < 10; ++i) {
    waiters.push_back(weft::spawn([all] { return all.get(); }));
    all.on_done([&] { ++called; });
    weft::this_fiber::yield();
  }
  p.set_value(3);
  EXPECT_EQ(called, 10);
  for (auto& each : waiters) EXPECT_EQ(each.join(), 3);
}

TEST(on_done, errors_are_reported_and_the_others_run_all_the_same) {
  lost_texts lost;
  with_noted_errors(lost, [&] {
    lost.texts.clear();
    int called = 0;
    weft::promise<void> p;
    auto f = p.get_future();
    f.on_done([] { throw std::runtime_error("the first"); });
    f.on_done([&] { ++called; });
    f.on_done([] { throw std::runtime_error("the third"); });
    p.set_value();
    EXPECT_EQ(called, 1);
    EXPECT_EQ(lost.texts, (std::vector<std::string>{"the first", "the third"}));
  });
}

TEST(on_done, errors_after_the_end_of_a_fiber_are_reported_too) {
  lost_texts lost;
  with_noted_errors(lost, [&] {
    lost.texts.clear();
    std::atomic<bool> last{false};
    std::atomic<bool> go{false};
    auto f = weft::spawn([&] {
      while (!go) weft::this_fiber::yield();
    });
    f.on_done([] { throw std::runtime_error("too late"); });
    f.on_done([&] { last = true; });
    go = true;
    f.join();
    EXPECT_TRUE(yield_until([&] { return last.load(); }));
    EXPECT_EQ(lost.texts, (std::vector<std::string>{"too late"}));
  });
}

TEST(on_done, errors_without_a_handler_become_reports) {
  std::string reports;
  weft::options wanted;
  wanted.cores = 1;
  wanted.on_report = [&](std::string_view text) { reports += text; };
  weft::run(wanted, [] {
    weft::promise<void> p;
    auto f = p.get_future();
    f.on_done([] { throw std::runtime_error("the reason"); });
    f.on_done([] { throw 1; });
    p.set_value();
  });
  EXPECT_NE(reports.find("weft: a callback ended with the exception: the reason\n"), std::string::npos) << reports;
  EXPECT_NE(reports.find("weft: a callback ended with an exception that is no std::exception\n"), std::string::npos)
      << reports;
}

TEST(on_done, errors_on_a_plain_thread_are_written) {
  testing::internal::CaptureStderr();
  weft::promise<void> p;
  auto f = p.get_future();
  f.on_done([] { throw std::runtime_error("the reason"); });
  p.set_value();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "weft: a callback ended with the exception: the reason\n");
}

WEFT_TEST(on_done, callbacks_may_wait_even_on_a_cancelled_fiber) {
  weft::promise<void> p;
  auto f = p.get_future();
  bool slept = false;
  f.on_done([&] {
    weft::this_fiber::sleep_for(1us);
    slept = true;
  });
  std::atomic<bool> go{false};
  auto setter = weft::spawn([&] {
    while (!go) {
      try {
        weft::this_fiber::yield();
      } catch (const weft::cancelled&) {
      }
    }
    p.set_value();
  });
  weft::this_fiber::yield();
  setter.cancel();
  go = true;
  try {
    setter.join();
    EXPECT_TRUE(slept);
  } catch (const weft::join_cancelled&) {
    EXPECT_FALSE(slept);  // It had not started.
  }
}

// The runtime goes on until the callback has returned, although its fiber has ended long ago.
TEST(on_done, callbacks_of_a_fiber_hold_up_the_end_of_the_runtime) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> finished{false};
    {
      weft::runtime here(setting{2}.options());
      auto f = here.spawn([] { weft::this_fiber::yield(); });
      f.on_done([&] {
        for (int i = 0; i < 20; ++i) weft::this_fiber::sleep_for(10us);
        finished = true;
      });
      f.join();
    }
    EXPECT_TRUE(finished);
  }
}

WEFT_TEST(on_done, callbacks_are_freed_once) {
  std::atomic<int> live{0};
  struct alignas(64) wide {
    char bytes[64];
  };
  {
    weft::promise<void> p;
    auto f = p.get_future();
    f.on_done([held = counted(live), pad = wide()] { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&pad) % 64, 0u); });
    f.on_done([held = counted(live)] {});
    EXPECT_EQ(live, 2);
    f = weft::future<void>();  // Nobody is left to see it, but the callbacks.
  }
  EXPECT_EQ(live, 0);
}

TEST(on_done, of_a_fiber_may_be_registered_from_a_plain_thread) {
  weft::runtime here(setting{2}.options());
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> called{0};
    auto f = here.spawn([] { weft::this_fiber::yield(); });
    for (int i = 0; i < 3; ++i) f.on_done([&] { ++called; });
    f.join();
    EXPECT_TRUE(eventually([&] { return called == 3; }));
  }
  expect_nothing_left(here);
}
