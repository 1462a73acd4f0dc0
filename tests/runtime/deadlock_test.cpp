// What is said when nothing can run. A deadlock that is certain never ends, so those cases are processes of their own.
#include "runtime/report_support.h"

#include <mutex>

using namespace weft_test;

namespace {

weft::options aborting() {
  weft::options wanted;
  wanted.abort_on_deadlock = true;
  return wanted;
}

// Without a watchdog, which tells of a thread that does not get its CPU.
weft::options reporting_to(report_sink& sink) {
  weft::options wanted;
  wanted.watchdog = 0ns;
  sink.use_in(wanted);
  return wanted;
}

void lock_crosswise() {
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
  one.join();
  two.join();
}

#ifdef WEFT_TSAN
constexpr bool is_alone = false;  // It has a thread of its own.
#else
constexpr bool is_alone = true;
#endif

}  // namespace

TEST(deadlock, is_told_with_every_fiber_and_the_ring) {
  if (!is_alone) GTEST_SKIP() << "ThreadSanitizer's own thread might wake fibers, for all that weft knows";
  EXPECT_END(weft::run(aborting(), lock_crosswise),
             "weft: deadlock: nothing can run, and nothing outside can wake a fiber.*in a ring, each waiting for the "
             "next: fiber [0-9]+ \"(one|two)\" -> fiber [0-9]+ \"(one|two)\" -> fiber.*waits in mutex::lock for fiber.*"
             "\"main\", spawned at .*deadlock_test.cpp:[0-9]+, waits in fiber::join for fiber [0-9]+ \"one\", since ");
}

TEST(deadlock, is_told_of_fibers_that_wait_for_nobody) {
  if (!is_alone) GTEST_SKIP() << "ThreadSanitizer's own thread might wake fibers, for all that weft knows";
  EXPECT_END(weft::run(aborting(),
                       [] {
                         weft::channel<int> empty(1);
                         empty.receive();
                       }),
             "weft: deadlock: .*\"main\", spawned at .*, waits in .*receive");
}

TEST(deadlock, is_not_told_while_a_timer_is_set) {
  report_sink sink;
  weft::run(reporting_to(sink), [] {
    weft::event never;
    auto waits = weft::spawn([&] { never.wait(); });
    weft::this_fiber::sleep_for(200ms);
    never.set();
    waits.join();
  });
  EXPECT_EQ(sink.all(), "");
}

TEST(deadlock, is_not_told_while_another_thread_might_help) {
  report_sink sink;
  weft::run(reporting_to(sink), [] {
    weft::event go;
    std::atomic<bool> may_set{false};
    std::thread outside([&] {
      while (!may_set) std::this_thread::yield();
      go.set();
    });
    auto sleeps = weft::spawn([&] {
      weft::this_fiber::sleep_for(10ms);
      may_set = true;
    });
    go.wait();
    sleeps.join();
    outside.join();
  });
  EXPECT_EQ(sink.all(), "");
}

TEST(deadlock, outside_of_run_the_word_is_quiescent) {
  report_sink sink;
  weft::options wanted = reporting_to(sink);
  wanted.quiescence_report = 100ms;
  weft::runtime here(wanted);
  weft::event go;
  auto waits = here.spawn({.name = "waits"}, [&] { go.wait(); });
  EXPECT_TRUE(eventually([&] { return sink.count() != 0; }));
  EXPECT_TRUE(sink.has("quiescent for ")) << sink.all();
  EXPECT_TRUE(sink.has("\"waits\"")) << sink.all();
  EXPECT_FALSE(sink.has("weft: deadlock")) << sink.all();
  go.set();
  waits.join();
}
