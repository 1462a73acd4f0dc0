// Shutting a runtime down: who is asked to end, how long that may take, and what the report says of those that go on.
#include "support/failure_note.h"
#include "support/runtime_checks.h"

#include <weft/net/tcp.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

struct setter {
  std::atomic<bool>& to;
  ~setter() { to = true; }
};

std::optional<weft::unfinished_fiber> named(const std::vector<weft::unfinished_fiber>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  return found != all.end() ? std::optional(*found) : std::nullopt;
}

// Returns once the only core of `here` has gone on from the fibers that it was running to another one, which may be in
// reports for a moment more.
void let_suspend(weft::runtime& here) {
  EXPECT_TRUE(here.spawn([] { return true; }).join());
}

// A fiber that cannot be cancelled waits in `wait()`: what the report says of it. `release()` lets it end.
std::optional<weft::unfinished_fiber> report_of(const std::function<void()>& wait, const std::function<void()>& release,
                                                std::uint_least32_t& line) {
  weft::runtime here(narrow(1));
  std::atomic<bool> began{false};
  line = __builtin_LINE() + 1;
  here.spawn_detached({.name = "stubborn"}, [&] {
    weft::shield([&] {
      began = true;
      wait();
    });
  });
  EXPECT_TRUE(eventually([&] { return began.load(); }));
  let_suspend(here);
  const std::vector<weft::unfinished_fiber> left = here.shutdown(2ms);
  release();
  EXPECT_TRUE(here.shutdown(long_enough).empty());
  return named(left, "stubborn");
}

void expect_waits(const std::optional<weft::unfinished_fiber>& seen, const char* call, std::uint_least32_t line) {
  const failure_note said(call);
  ASSERT_TRUE(seen.has_value());
  EXPECT_TRUE(says(seen->file, "shutdown_test")) << seen->file;
  EXPECT_EQ(seen->line, line);
  EXPECT_NE(seen->id, 0u);
  EXPECT_TRUE(says(seen->state, "waits in ") && says(seen->state, call)) << seen->state;
}

void expect_named(const char* call, const std::function<void()>& wait, const std::function<void()>& release) {
  std::uint_least32_t line = 0;
  const std::optional<weft::unfinished_fiber> seen = report_of(wait, release, line);
  expect_waits(seen, call, line);
}

}  // namespace

// --- What the report says ----------------------------------------------------------------------------------------------------

TEST(shutdown, names_what_each_fiber_waits_for) {
  {
    weft::mutex gate;
    gate.lock();
    expect_named(
        "mutex::lock", [&] { const std::lock_guard hold(gate); }, [&] { gate.unlock(); });
    weft::event go;
    expect_named(
        "event::wait", [&] { go.wait(); }, [&] { go.set(); });
    weft::event then;
    expect_named(
        "fiber::join", [&] { weft::spawn([&] { weft::shield([&] { then.wait(); }); }).join(); }, [&] { then.set(); });
    weft::channel<int> words(1);
    expect_named(
        "channel::receive", [&] { words.receive(); }, [&] { words.send(1); });
    words.send(2);
    expect_named(
        "channel::send", [&] { words.send(3); }, [&] { EXPECT_EQ(words.receive(), 2); });
  }
  {
    weft::semaphore permits(0);
    expect_named(
        "semaphore::acquire", [&] { permits.acquire(); }, [&] { permits.release(); });
    weft::latch done(1);
    expect_named(
        "latch::wait", [&] { done.wait(); }, [&] { done.count_down(); });
    weft::promise<int> to;
    auto from = to.get_future();
    expect_named(
        "future::wait", [&] { from.wait(); }, [&] { to.set_result(1); });
  }
  {
    weft::mutex gate;
    weft::condition_variable told;
    bool go = false;
    expect_named(
        "condition_variable::wait",
        [&] {
          std::unique_lock lock(gate);
          told.wait(lock, [&] { return go; });
        },
        [&] {
          const std::lock_guard lock(gate);
          go = true;
          told.notify_all();
        });
  }
}

// Where the sleep may have been over before the report was made: once more, with a longer one.
TEST(shutdown, names_a_fiber_that_sleeps) {
  using clock_type = std::chrono::steady_clock;
  for (auto nap = 20ms; nap < long_enough; nap *= 2) {
    const auto end = clock_type::now() + nap;
    bool was_late = false;
    std::uint_least32_t line = 0;
    const std::optional<weft::unfinished_fiber> seen =
        report_of([&] { weft::this_fiber::sleep_until(end); }, [&] { was_late = clock_type::now() >= end; }, line);
    if (was_late) continue;
    return expect_waits(seen, "this_fiber::sleep", line);
  }
  ADD_FAILURE() << "no report came in time";
}

TEST(shutdown, lists_a_waiter_of_several_things_and_its_children) {
  weft::runtime here(narrow(1));
  weft::event go;
  std::atomic<int> began{0};
  here.spawn_detached({.name = "parent"}, [&] {
    weft::shield([&] {
      weft::with_scope([&](weft::scope& crew) {
        for (int i = 0; i < 2; ++i) {
          crew.spawn({.name = "child"}, [&] {
            weft::shield([&] {
              ++began;
              go.wait();
            });
          });
        }
      });
    });
  });
  ASSERT_TRUE(eventually([&] { return began == 2; }));
  let_suspend(here);
  std::vector<weft::unfinished_fiber> left = here.shutdown(1ms);
  std::erase_if(left, [](const auto& each) { return each.name.empty(); });
  ASSERT_EQ(left.size(), 3u);
  std::sort(left.begin(), left.end(), [](const auto& a, const auto& b) { return a.name > b.name; });
  EXPECT_EQ(left[0].name, "parent");
  EXPECT_TRUE(says(left[0].state, "scope::join")) << left[0].state;
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(left[i].name, "child");
    EXPECT_TRUE(says(left[i].state, "event::wait")) << left[i].state;
  }
  go.set();
  EXPECT_TRUE(here.shutdown(long_enough).empty());
}

TEST(shutdown, tells_who_runs_and_who_could_not_start) {
  weft::runtime here(narrow(1));
  std::atomic<bool> go{false}, runs{false};
  here.spawn_detached({.name = "hog"}, [&] {
    runs = true;
    while (!go) std::this_thread::yield();
  });
  ASSERT_TRUE(eventually([&] { return runs.load(); }));
  here.spawn_detached({.name = "behind"}, [] { ADD_FAILURE() << "it was cancelled before it could start"; });
  std::vector<weft::unfinished_fiber> left = here.shutdown(1ms);
  go = true;
  ASSERT_EQ(left.size(), 2u);
  std::sort(left.begin(), left.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  EXPECT_EQ(left[0].name, "behind");
  EXPECT_EQ(left[0].state, "has not started");
  EXPECT_EQ(left[1].name, "hog");
  EXPECT_EQ(left[1].state, "runs");
  EXPECT_TRUE(here.shutdown(long_enough).empty());
}

TEST(shutdown, names_who_hangs_in_a_callback_or_in_the_end_of_a_variable) {
  {
    weft::runtime here(narrow(1));
    weft::event go, begin;
    std::atomic<bool> hangs{false};
    auto f = here.spawn({.name = "ends"}, [&] { begin.wait(); });
    f.on_done([&] {
      hangs = true;
      go.wait();
    });
    begin.set();
    ASSERT_TRUE(eventually([&] { return hangs.load(); }));
    EXPECT_TRUE(f.done());
    EXPECT_EQ(here.statistics().live_fibers, 0u) << "a callback is no fiber";
    EXPECT_EQ(here.statistics().spawned_outside, 1u);
    let_suspend(here);
    const auto left = named(here.shutdown(1ms), "ends");
    go.set();
    ASSERT_TRUE(left.has_value());
    EXPECT_TRUE(says(left->state, "event::wait")) << left->state;
    EXPECT_TRUE(here.shutdown(long_enough).empty());
  }
  {
    struct lingering {
      std::function<void()> f;
      ~lingering() {
        if (f) f();
      }
    };
    static weft::fiber_local<lingering> variable;
    weft::runtime here(narrow(1));
    weft::event go;
    std::atomic<bool> hangs{false};
    here.spawn_detached({.name = "lingers"}, [&] {
      variable.get().f = [&] {
        hangs = true;
        go.wait();
      };
    });
    ASSERT_TRUE(eventually([&] { return hangs.load(); }));
    let_suspend(here);
    const auto left = named(here.shutdown(1ms), "lingers");
    go.set();
    ASSERT_TRUE(left.has_value());
    EXPECT_TRUE(says(left->state, "event::wait")) << left->state;
    EXPECT_TRUE(here.shutdown(long_enough).empty());
  }
}

// --- Who ends, and when ------------------------------------------------------------------------------------------------------

TEST(shutdown, of_an_idle_runtime_returns_at_once_and_may_be_repeated) {
  weft::runtime here(narrow());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(here.shutdown(long_enough).empty());
  EXPECT_TRUE(here.shutdown(0s).empty());
}

TEST(shutdown, ends_everybody_for_shutdown) {
  for (const std::size_t cores : widths()) {
    weft::runtime here(narrow(cores));
    constexpr int count = 50;
    std::atomic<int> began{0}, for_shutdown{0};
    std::vector<weft::fiber<void>> crowd;
    for (int i = 0; i < count; ++i) {
      crowd.push_back(here.spawn([&] {
        try {
          ++began;
          sleep_for_ever();
        } catch (const weft::cancelled& cut) {
          if (cut.reason() == weft::cancel_reason::shutdown) ++for_shutdown;
          throw;
        }
      }));
    }
    ASSERT_TRUE(eventually([&] { return began == count; }));
    EXPECT_TRUE(here.shutdown(long_enough).empty());
    EXPECT_EQ(for_shutdown, count);
    for (auto& each : crowd) EXPECT_THROW(each.join(), weft::join_cancelled);
  }
}

TEST(shutdown, lets_results_that_are_there_be_joined) {
  weft::runtime here(narrow());
  auto done = here.spawn([] { return 3; });
  auto failed = here.spawn([] { throw std::domain_error("before"); });
  ASSERT_TRUE(eventually([&] { return done.done() && failed.done(); }));
  EXPECT_TRUE(here.shutdown(long_enough).empty());
  EXPECT_EQ(done.join(), 3);
  EXPECT_THROW(failed.join(), std::domain_error);
}

TEST(shutdown, waits_for_those_that_clean_up) {
  weft::runtime here(narrow());
  std::atomic<bool> began{false}, cleaned{false};
  here.spawn_detached([&] {
    try {
      began = true;
      sleep_for_ever();
    } catch (...) {
      weft::shield([] { weft::this_fiber::sleep_for(2ms); });
      cleaned = true;
      throw;
    }
  });
  ASSERT_TRUE(eventually([&] { return began.load(); }));
  EXPECT_TRUE(here.shutdown(long_enough).empty());
  EXPECT_TRUE(cleaned);
}

TEST(shutdown, ends_also_what_cleaning_up_starts) {
  weft::runtime here(narrow());
  std::atomic<bool> began{false}, ran{false};
  here.spawn_detached([&] {
    try {
      began = true;
      sleep_for_ever();
    } catch (...) {
      weft::spawn_detached([&] { ran = true; });
      EXPECT_THROW(weft::shield([&] { weft::spawn([&] { ran = true; }).join(); }), weft::join_cancelled);
      throw;
    }
  });
  ASSERT_TRUE(eventually([&] { return began.load(); }));
  EXPECT_TRUE(here.shutdown(long_enough).empty());
  EXPECT_FALSE(ran) << "what is spawned from now on is born cancelled";
}

TEST(shutdown, may_be_called_by_several_threads_at_once) {
  weft::runtime here(narrow());
  std::atomic<int> began{0};
  for (int i = 0; i < 20; ++i) {
    here.spawn_detached([&] {
      ++began;
      sleep_for_ever();
    });
  }
  ASSERT_TRUE(eventually([&] { return began == 20; }));
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] { EXPECT_TRUE(here.shutdown(long_enough).empty()); });
  }
  for (auto& each : callers) each.join();
}

TEST(shutdown, meets_fibers_that_are_being_spawned) {
  for (std::size_t round = 0; round < repeated(10, 5); ++round) {
    weft::runtime here(narrow());
    std::atomic<bool> enough{false};
    std::atomic<std::size_t> spawned{0}, destroyed{0};
    struct counting {
      std::atomic<std::size_t>* to;
      explicit counting(std::atomic<std::size_t>& t) : to(&t) {}
      counting(counting&& other) noexcept : to(std::exchange(other.to, nullptr)) {}
      ~counting() {
        if (to != nullptr) ++*to;
      }
    };
    constexpr std::size_t most_alive = 500;
    std::thread outside([&] {
      while (!enough) {
        if (spawned - destroyed >= most_alive) {
          std::this_thread::yield();
          continue;
        }
        here.spawn_detached([life = counting(destroyed)] { sleep_for_ever(); });
        ++spawned;
      }
    });
    EXPECT_TRUE(eventually([&] { return spawned > 20; }));
    here.shutdown(1ms);
    enough = true;
    outside.join();
    EXPECT_TRUE(here.shutdown(long_enough).empty());
    EXPECT_EQ(spawned, destroyed);
  }
}

TEST(shutdown, names_in_the_destructor_who_keeps_it_waiting) {
  std::mutex gate;
  std::string told;
  std::atomic<bool> is_told{false}, began{false};
  weft::event go;
  weft::options wanted = narrow(1);
  wanted.on_report = [&](std::string_view text) {
    const std::lock_guard hold(gate);
    told += text;
    is_told = says(told, "\"immortal\"");
  };
  std::thread releasing;
  {
    weft::runtime here(wanted);
    here.spawn_detached({.name = "immortal"}, [&] {
      weft::shield([&] {
        began = true;
        go.wait();
      });
    });
    ASSERT_TRUE(eventually([&] { return began.load(); }));
    releasing = std::thread([&] {
      EXPECT_TRUE(eventually([&] { return is_told.load(); }));
      go.set();
    });
  }
  releasing.join();
  EXPECT_TRUE(says(told, "\"immortal\"")) << told;
  EXPECT_TRUE(says(told, "shutdown_test")) << told;
  EXPECT_TRUE(says(told, "event::wait")) << told;
}
