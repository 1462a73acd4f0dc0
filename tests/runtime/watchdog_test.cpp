#include "runtime/report_support.h"

#include <mutex>

using namespace weft_test;

namespace {

weft::options watched(report_sink& sink, std::chrono::nanoseconds limit) {
  weft::options wanted;
  wanted.cores = 1;
  wanted.watchdog = limit;
  sink.use_in(wanted);
  return wanted;
}

// Computes until `is_over` says so, at least for a while.
template <class IsOver>
__attribute__((noinline)) void compute_until(IsOver is_over) {
  EXPECT_TRUE(eventually([&] {
    for (int i = 0; i < 10'000; ++i) __asm__ __volatile__("");
    return is_over();
  }));
}

}  // namespace

TEST(watchdog, names_a_fiber_that_computes_for_too_long_once) {
  report_sink sink;
  weft::run(watched(sink, 20ms), [&] {
    auto hog = weft::spawn({.name = "hog"}, [&] { compute_until([&] { return sink.count() != 0; }); });
    hog.join();
    const auto end = std::chrono::steady_clock::now() + 100ms;
    yield_until([&] { return std::chrono::steady_clock::now() > end; });
  });
  EXPECT_EQ(sink.count(), 1u) << sink.all();
  EXPECT_TRUE(sink.has("weft: watchdog: fiber ")) << sink.all();
  EXPECT_TRUE(sink.has("\"hog\", spawned at ")) << sink.all();
  EXPECT_TRUE(sink.has("watchdog_test.cpp:")) << sink.all();
  EXPECT_TRUE(sink.has("compute_until") || sink.has("eventually")) << sink.all();
}

TEST(watchdog, proposes_to_migrate_when_fibers_wait_behind) {
  report_sink sink;
  weft::run(watched(sink, 20ms), [&] {
    weft::event go;
    auto behind = begin_here([&] { go.wait(); });
    auto hog = weft::spawn([&] {
      go.set();
      compute_until([&] { return sink.count() != 0; });
    });
    hog.join();
    behind.join();
  });
  EXPECT_TRUE(sink.has("1 ready fiber(s) wait behind it: migration::free would")) << sink.all();
}

TEST(watchdog, shows_the_call_that_stops_a_worker) {
  report_sink sink;
  std::mutex plain;
  plain.lock();
  std::thread outside([&] {
    EXPECT_TRUE(eventually([&] { return sink.count() != 0; }));
    plain.unlock();
  });
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

TEST(watchdog, is_silent_where_fibers_let_others_run) {
  report_sink sink;
  weft::run(watched(sink, 50ms), [] {
    const auto end = std::chrono::steady_clock::now() + 200ms;
    yield_until([&] { return std::chrono::steady_clock::now() > end; });
    weft::this_fiber::sleep_for(100ms);
  });
  EXPECT_EQ(sink.all(), "");
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
    EXPECT_TRUE(yield_until([&] { return sink.count() != 0; }));
    one.cancel();
    EXPECT_TRUE(ended_cancelled(one));
    two.join();
  });
  EXPECT_TRUE(sink.has("weft: watchdog: fibers wait for each other")) << sink.all();
  EXPECT_TRUE(sink.has("\"one\"") && sink.has("\"two\"")) << sink.all();
}
