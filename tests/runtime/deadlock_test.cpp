// What is said when nothing can run. A deadlock that is certain never ends, so those cases are processes of their own.
#include "runtime/report_support.h"
#include "support/replaced_system_calls.h"

#include <mutex>
#include <string_view>
#include <thread>

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

#ifdef __linux__
// A thread that helps, and ends, when the runtime begins to ask how many threads there are.
struct late_helper {
  weft::event help;
  std::atomic<bool> may_help{false};
  std::atomic<bool> is_counted{false};  // The runtime has its answer.
  std::thread thread{[this] {
    may_help.wait(false);
    help.set();
  }};

  void come() {
    if (!thread.joinable()) return;
    const std::ptrdiff_t before = footprint::now().threads;
    may_help = true;
    may_help.notify_one();
    thread.join();
    EXPECT_TRUE(eventually([&] { return footprint::now().threads < before; }));
  }
};
late_helper* helper = nullptr;
weft::detail::system_calls plain_calls;

int open_after_help(const char* path, int flags, mode_t mode) noexcept {
  if (std::string_view(path) == "/proc/self/stat") helper->come();
  return plain_calls.open(path, flags, mode);
}

int close_and_tell(int fd) noexcept {
  const int result = plain_calls.close(fd);
  helper->is_counted = !helper->thread.joinable();
  return result;
}
#endif

// The thread that made the runtime looks at a result only once something was reported.
struct slow_to_take {
  const report_sink& sink;
  std::thread::id maker;
  bool is_reported = false;

  slow_to_take(const report_sink& reports, std::thread::id taker) : sink(reports), maker(taker) {}
  slow_to_take(slow_to_take&& other) noexcept : sink(other.sink), maker(other.maker) {
    if (std::this_thread::get_id() == maker) is_reported = eventually([this] { return sink.count() != 0; });
  }
};

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

#ifdef __linux__  // Elsewhere nothing is asked, and nothing is certain.
TEST(deadlock, is_not_told_of_a_fiber_that_is_woken_meanwhile) {
  late_helper late;
  helper = &late;
  const replaced_system_calls looking([](weft::detail::system_calls& table) {
    plain_calls = table;
    table.open = &open_after_help;
    table.close = &close_and_tell;
  });
  report_sink sink;
  weft::run(reporting_to(sink), [&] {
    late.help.wait();
    EXPECT_TRUE(yield_until([&] { return late.is_counted.load(); }));
  });
  EXPECT_EQ(sink.all(), "");
}
#endif

TEST(deadlock, is_not_told_once_the_first_fiber_has_ended) {
  report_sink sink;
  weft::options wanted = reporting_to(sink);
  wanted.quiescence_report = 1ms;
  weft::event never;
  const std::thread::id maker = std::this_thread::get_id();
  const slow_to_take result = weft::run(wanted, [&] {
    weft::spawn([&] { never.wait(); }).detach();
    return slow_to_take(sink, maker);
  });
  EXPECT_TRUE(result.is_reported);
  EXPECT_TRUE(sink.has("weft: no fiber can run until something outside wakes one")) << sink.all();
  EXPECT_FALSE(sink.has("weft: deadlock")) << sink.all();
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
