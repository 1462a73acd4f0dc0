#include "runtime/report_support.h"

#include <algorithm>
#include <mutex>
#include <utility>

using namespace weft_test;

namespace {

using clock_type = std::chrono::steady_clock;

weft::options watched(report_sink& sink, std::chrono::nanoseconds limit) {
  weft::options wanted;
  wanted.cores = 1;
  wanted.watchdog = limit;
  sink.use_in(wanted);
  return wanted;
}

// ThreadSanitizer keeps a signal back until the thread calls something that it knows, and some never end.
#ifdef WEFT_TSAN
constexpr bool answers_at_once = false;
#else
constexpr bool answers_at_once = true;
#endif

// Computes until `is_over` says so, at least for a while.
template <class IsOver>
__attribute__((noinline)) void compute_until(IsOver is_over) {
  EXPECT_TRUE(eventually([&] {
    for (int i = 0; i < 10'000; ++i) __asm__ __volatile__("");
    return is_over();
  }));
}

}  // namespace

// It says the same of a thread that does not get its CPU, whatever fiber that runs: reports of others do not count here.
TEST(watchdog, names_a_fiber_that_computes_for_too_long_once) {
  report_sink sink;
  const std::string hogs = "\"hog\", spawned at ";
  weft::run(watched(sink, 20ms), [&] {
    weft::spawn({.name = "hog"}, [&] {
      for (std::size_t others = sink.count(); !sink.has(hogs); others = sink.count()) {
        if (others != 0) weft::this_fiber::yield();  // Or it would never be told of again.
        compute_until([&] { return sink.count() != others; });
      }
      const auto end = clock_type::now() + 100ms;
      compute_until([&] { return clock_type::now() > end; });
    }).join();
  });
  EXPECT_EQ(sink.count_with(hogs), 1u) << sink.all();
  EXPECT_TRUE(sink.has("weft: watchdog: fiber ")) << sink.all();
  EXPECT_TRUE(sink.has("watchdog_test.cpp:")) << sink.all();
  EXPECT_TRUE(!answers_at_once || sink.has("compute_until") || sink.has("eventually")) << sink.all();
}

TEST(watchdog, proposes_to_migrate_when_fibers_wait_behind) {
  report_sink sink;
  const std::string proposal = "1 ready fiber(s) wait behind it: migration::free would";
  weft::run(watched(sink, 20ms), [&] {
    weft::event go;
    auto behind = begin_here([&] { go.wait(); });
    auto hog = weft::spawn([&] {
      go.set();
      compute_until([&] { return sink.has(proposal); });
    });
    hog.join();
    behind.join();
  });
  EXPECT_TRUE(sink.has(proposal)) << sink.all();
}

TEST(watchdog, shows_the_call_that_stops_a_worker) {
  if (!answers_at_once) GTEST_SKIP() << "no signal reaches the worker";
  report_sink sink;
  std::mutex plain;
  std::atomic<bool> is_locked{false};
  std::thread outside([&] {
    const std::scoped_lock hold(plain);
    is_locked = true;
    EXPECT_TRUE(eventually([&] { return sink.has("\"blocks\", spawned at "); }));
  });
  EXPECT_TRUE(eventually([&] { return is_locked.load(); }));
  weft::run(watched(sink, 20ms), [&] {
    weft::spawn({.name = "blocks"}, [&] {
      plain.lock();
      plain.unlock();
    }).join();
  });
  outside.join();
  EXPECT_TRUE(sink.has("\"blocks\", spawned at ")) << sink.all();
  EXPECT_TRUE(sink.has("lock")) << sink.all();
}

namespace {
int initialised_by_the_first(weft::event& is_inside, weft::event& go) {
  static const int value = [&] {
    is_inside.set();
    go.wait();
    return 1;
  }();
  return value;
}
}  // namespace

// The first fiber waits while it initialises a static; the second one's worker is stopped by that in the kernel.
TEST(watchdog, names_a_fiber_that_is_stopped_and_the_one_that_it_waits_for) {
  if (!answers_at_once) GTEST_SKIP() << "no signal reaches the worker";
  report_sink sink;
  weft::event is_inside, go;
  std::thread outside([&] {
    EXPECT_TRUE(eventually([&] { return sink.has("\"second\", spawned at "); }));
    go.set();
  });
  weft::options wanted = watched(sink, 20ms);
  wanted.cores = 2;
  weft::run(wanted, [&] {
    auto first = weft::spawn({.name = "first", .core = 0}, [&] { initialised_by_the_first(is_inside, go); });
    is_inside.wait();
    auto second = weft::spawn({.name = "second", .core = 1}, [&] { initialised_by_the_first(is_inside, go); });
    first.join();
    second.join();
  });
  outside.join();
  EXPECT_TRUE(sink.has("weft: watchdog: fiber ")) << sink.all();
  EXPECT_TRUE(sink.has("\"second\", spawned at ")) << sink.all();
  EXPECT_TRUE(sink.has("a fiber that waits may hold it:")) << sink.all();
  EXPECT_TRUE(sink.has("\"first\", spawned at ")) << sink.all();
  EXPECT_TRUE(sink.has("waits in weft::event::wait")) << sink.all();
}

// A fiber whose thread does not get its CPU for so long holds its core, for all that can be seen from outside: then once
// more, with a longer limit.
TEST(watchdog, is_silent_where_fibers_let_others_run) {
  for (auto limit = 50ms; limit < long_enough; limit *= 2) {
    report_sink sink;
    clock_type::time_point last;
    clock_type::duration longest{};
    const auto note = [&](clock_type::time_point now) { longest = std::max(longest, now - std::exchange(last, now)); };
    last = clock_type::now();
    weft::run(watched(sink, limit), [&] {
      note(clock_type::now());
      const auto end = last + 4 * limit;
      yield_until([&] {
        note(clock_type::now());
        return last > end;
      });
      weft::this_fiber::sleep_for(2 * limit);
      last = clock_type::now();
    });
    note(clock_type::now());
    if (sink.count() == 0) return;
    ASSERT_GE(longest, limit - limit / 4) << sink.all();
  }
  ADD_FAILURE() << "its thread was never let alone";
}

TEST(watchdog, tells_a_ring_while_others_run) {
  report_sink sink;
  weft::run(watched(sink, 1s), [&] {
    weft::mutex first, second;
    std::atomic<int> holding{0};
    const auto take_both = [&](weft::mutex& mine, weft::mutex& other) {
      const std::scoped_lock hold(mine);
      ++holding;
      yield_until([&] { return holding == 2; });
      const std::scoped_lock never(other);
    };
    auto one = weft::spawn({.name = "one"}, [&] { take_both(first, second); });
    auto two = weft::spawn({.name = "two"}, [&] { take_both(second, first); });
    EXPECT_TRUE(yield_until([&] { return sink.has("fibers wait for each other"); }));
    one.cancel();
    EXPECT_TRUE(ended_cancelled(one));
    two.join();
  });
  EXPECT_TRUE(sink.has("weft: watchdog: fibers wait for each other")) << sink.all();
  EXPECT_TRUE(sink.has("\"one\"") && sink.has("\"two\"")) << sink.all();
}
