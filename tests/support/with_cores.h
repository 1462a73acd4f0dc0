// Runs the body of a test as the main fiber of runtimes of several widths, under both migrations, and fails on whatever
// a run leaves behind: fibers, stacks, descriptors, threads.
//
//   WEFT_TEST(fiber, joins_with_the_result) { EXPECT_EQ(weft::spawn([] { return 42; }).join(), 42); }
//   WEFT_TEST_EACH_REACTOR(sleep, ...)   the same under the three reactor modes, too
#pragma once

#include <weft/this_fiber.h>
#include <weft/weft.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <ostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace weft_test {

using namespace std::chrono_literals;

#if defined(WEFT_TSAN) || defined(WEFT_ASAN)
inline constexpr bool is_instrumented = true;
#else
inline constexpr bool is_instrumented = false;
#endif

// The chaos build keeps no order of run queues.
#ifdef WEFT_CHAOS
inline constexpr bool is_shuffled = true;
#else
inline constexpr bool is_shuffled = false;
#endif

// What a test does `plain` times, it does less often where each access is instrumented.
constexpr std::size_t repeated(std::size_t plain, std::size_t instrumented) {
  return is_instrumented ? instrumented : plain;
}

// Longer than anything takes on a busy machine: reaching it is a failure.
inline constexpr auto long_enough = 60s;

// For plain threads: waits until `holds()`, and says whether it came to that.
template <class Condition>
bool eventually(Condition holds) {
  const auto limit = std::chrono::steady_clock::now() + long_enough;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

// For fibers: lets others run until `holds()`.
template <class Condition>
bool yield_until(Condition holds) {
  const auto limit = std::chrono::steady_clock::now() + long_enough;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    weft::this_fiber::yield();
  }
  return true;
}

// What the process holds.
struct footprint {
  std::ptrdiff_t descriptors = 0;
  std::ptrdiff_t threads = 0;

  // The kernel takes a joined thread off the list a moment later: so `before` may have counted one that was over.
  bool holds_no_more_than(const footprint& before) const noexcept {
    return descriptors == before.descriptors && threads <= before.threads;
  }

  static footprint now() { return {entries_of("/proc/self/fd"), entries_of("/proc/self/task")}; }
  static std::ptrdiff_t entries_of(const char* folder) {
    return std::distance(std::filesystem::directory_iterator(folder), {});
  }
};

inline std::ostream& operator<<(std::ostream& out, const footprint& held) {
  return out << held.descriptors << " descriptors, " << held.threads << " threads";
}

struct setting {
  std::size_t cores = 1;
  weft::migration migration = weft::migration::at_start;
  weft::reactor_mode reactor = weft::reactor_mode::adaptive;

  bool migrates() const { return migration == weft::migration::free; }
  weft::options options() const {
    weft::options wanted;
    wanted.cores = cores;
    wanted.migration = migration;
    wanted.reactor = reactor;
    return wanted;
  }
  std::string text() const {
    static constexpr const char* modes[] = {"adaptive", "dedicated", "inlined"};
    return std::to_string(cores) + " core(s), migration " + (migrates() ? "free" : "at_start") + ", reactor " +
           modes[static_cast<std::size_t>(reactor)];
  }
};

// The setting that the running body is under.
inline setting current_setting;

inline std::vector<std::size_t> widths() {
  const std::size_t all = std::max(1u, std::thread::hardware_concurrency());
  const std::set<std::size_t> distinct{1, 2, all, 4 * all};
  return {distinct.begin(), distinct.end()};
}

// After the last join: what the body began must have ended, and what a runtime took it must have given back.
inline void expect_nothing_left(const weft::runtime& here) {
  const auto nothing_left = [&here] {
    const weft::runtime_statistics now = here.statistics();
    // Each core may keep one stack in reserve: none of them or all.
    const bool stacks_are_back = now.stacks_in_use == 0 || now.stacks_in_use == now.cores.size();
    return now.live_fibers == 0 && stacks_are_back && now.descriptors == 0;
  };
  if (eventually(nothing_left)) return;
  const weft::runtime_statistics left = here.statistics();
  ADD_FAILURE() << "left behind: " << left.live_fibers << " fibers, " << left.stacks_in_use << " stacks, "
                << left.descriptors << " descriptors";
}

inline void run_under(const setting& wanted, const std::function<void()>& body,
                      const std::function<void(weft::options&)>& adjust = {}) {
  static const bool is_warm = [] {
    weft::run([] {});  // What is made once for the whole process is no leak.
    return true;
  }();
  static_cast<void>(is_warm);
  current_setting = wanted;
  const footprint before = footprint::now();
  {
    weft::options options = wanted.options();
    if (adjust) adjust(options);
    weft::runtime here(options);
    here.spawn({.name = "main"}, body).join();
    expect_nothing_left(here);
  }
  if (!eventually([&before] { return footprint::now().holds_no_more_than(before); })) {
    ADD_FAILURE() << footprint::now() << ", but before the run " << before;
  }
}

inline void with_cores(const std::vector<weft::reactor_mode>& reactors, const std::function<void()>& body,
                       const std::function<void(weft::options&)>& adjust = {}) {
  for (const weft::reactor_mode reactor : reactors) {
    for (const std::size_t cores : widths()) {
      for (const weft::migration migration : {weft::migration::at_start, weft::migration::free}) {
        const setting wanted{cores, migration, reactor};
        try {
          run_under(wanted, body, adjust);
        } catch (const std::exception& error) {
          ADD_FAILURE() << "the body threw: " << error.what();
        }
        if (::testing::Test::HasFailure()) {
          ADD_FAILURE() << "with " << wanted.text();
          return;
        }
        if (::testing::Test::IsSkipped()) return;
      }
    }
  }
}

inline const std::vector<weft::reactor_mode> adaptive_only{weft::reactor_mode::adaptive};
inline const std::vector<weft::reactor_mode> every_reactor{weft::reactor_mode::adaptive, weft::reactor_mode::dedicated,
                                                           weft::reactor_mode::inlined};

}  // namespace weft_test

#define WEFT_TEST_WITH_(suite, name, reactors)                                                  \
  static void suite##_##name##_body();                                                          \
  TEST(suite, name) { ::weft_test::with_cores(::weft_test::reactors, &suite##_##name##_body); } \
  static void suite##_##name##_body()

#define WEFT_TEST(suite, name) WEFT_TEST_WITH_(suite, name, adaptive_only)
#define WEFT_TEST_EACH_REACTOR(suite, name) WEFT_TEST_WITH_(suite, name, every_reactor)
