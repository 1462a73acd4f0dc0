#include "runtime/report_support.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <mutex>
#include <thread>

using namespace weft_test;

WEFT_TEST(dump, tells_what_a_waiting_fiber_waits_in) {
  weft::event go;
  auto waits = weft::spawn({.name = "waits"}, [&] { go.wait(); });
  const weft::runtime_dump all = dump_when_waiting("waits", "weft::event::wait");
  go.set();
  waits.join();
  const weft::fiber_dump* const f = named(all, "waits");
  ASSERT_NE(f, nullptr);
  EXPECT_TRUE(contains(f->file, "dump_test.cpp"));
  EXPECT_FALSE(f->has_deadline);
  EXPECT_TRUE(contains(all.text(), "\"waits\", spawned at " + f->file + ":" + std::to_string(f->line) +
                                       ", waits in weft::event::wait, since "))
      << all.text();
  const weft::fiber_dump* const me = named(all, "main");
  ASSERT_NE(me, nullptr);
  EXPECT_EQ(me->state, weft::fiber_state::running);
}

namespace {
__attribute__((noinline)) void wait_in_a_named_function(weft::event& go) {
  go.wait();
  __asm__ __volatile__("");  // No tail call.
}
}  // namespace

WEFT_TEST(dump, has_the_backtrace_of_a_waiting_fiber) {
  weft::event go;
  auto waits = weft::spawn({.name = "waits"}, [&] { wait_in_a_named_function(go); });
  const weft::runtime_dump all = dump_when_waiting("waits", "weft::event::wait");
  go.set();
  waits.join();
  const std::vector<std::string>& frames = named(all, "waits")->backtrace;
  EXPECT_TRUE(std::any_of(frames.begin(), frames.end(), [](const std::string& frame) {
    return contains(frame, "wait_in_a_named_function");
  })) << all.text();
}

WEFT_TEST(dump, names_the_owner_of_a_mutex) {
  weft::mutex lock;
  lock.lock();
  auto waits = weft::spawn({.name = "waits"}, [&] { const std::scoped_lock hold(lock); });
  const weft::runtime_dump all = dump_when_waiting("waits", "mutex::lock");
  lock.unlock();
  waits.join();
  EXPECT_EQ(named(all, "waits")->waits_for, std::vector{weft::this_fiber::id()}) << all.text();
  EXPECT_TRUE(all.cycles.empty());
}

WEFT_TEST(dump, tells_that_a_plain_thread_owns_a_mutex) {
  weft::mutex lock;
  std::atomic<bool> is_locked{false}, go{false};
  std::thread outside([&] {
    const std::scoped_lock hold(lock);
    is_locked = true;
    EXPECT_TRUE(eventually([&] { return go.load(); }));
  });
  EXPECT_TRUE(yield_until([&] { return is_locked.load(); }));
  auto waits = weft::spawn({.name = "waits"}, [&] { const std::scoped_lock hold(lock); });
  const weft::runtime_dump all = dump_when_waiting("waits", "mutex::lock");
  go = true;
  waits.join();
  outside.join();
  EXPECT_TRUE(named(all, "waits")->waits_for_thread) << all.text();
  EXPECT_TRUE(named(all, "waits")->waits_for.empty()) << all.text();
}

WEFT_TEST(dump, names_the_fiber_that_is_joined) {
  weft::event go;
  auto last = weft::spawn({.name = "last"}, [&] { go.wait(); });
  const std::uint64_t id = last.id();
  auto joins = weft::spawn({.name = "joins"}, [&] { last.join(); });
  const weft::runtime_dump all = dump_when_waiting("joins", "fiber::join");
  go.set();
  joins.join();
  EXPECT_EQ(named(all, "joins")->waits_for, std::vector{id}) << all.text();
}

WEFT_TEST(dump, names_the_children_that_a_scope_waits_for) {
  weft::event go;
  auto parent = weft::spawn({.name = "parent"},
                            [&] { weft::with_scope([&](weft::scope& crew) { crew.spawn([&] { go.wait(); }); }); });
  weft::runtime_dump all;
  EXPECT_TRUE(yield_until([&] {  // The child may be younger than the list that the dump made.
    all = dump_when_waiting("parent", "scope::join");
    return named(all, "parent")->waits_for.size() == 1;
  })) << all.text();
  EXPECT_FALSE(named(all, "parent")->waits_for_thread);
  go.set();
  parent.join();
}

WEFT_TEST(dump, tells_a_deadline_and_a_fiber_that_has_not_started) {
  auto sleeps = weft::spawn({.name = "sleeps"}, [] { weft::this_fiber::sleep_for(1h); });
  const weft::runtime_dump all = dump_when_waiting("sleeps", "this_fiber::sleep");
  EXPECT_TRUE(named(all, "sleeps")->has_deadline);
  const weft::pin_guard here;
  auto fresh = weft::spawn({.name = "fresh", .core = weft::this_fiber::core()}, [] {});
  const weft::runtime_dump with_fresh = weft::dump();
  ASSERT_NE(named(with_fresh, "fresh"), nullptr);
  EXPECT_EQ(named(with_fresh, "fresh")->state, weft::fiber_state::fresh);
  fresh.join();
  sleeps.cancel();
}

WEFT_TEST(dump, finds_a_ring_of_mutexes_while_others_run) {
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
  weft::runtime_dump all;
  EXPECT_TRUE(yield_until([&] {
    all = weft::dump();
    return !all.cycles.empty();
  })) << all.text();
  ASSERT_EQ(all.cycles.size(), 1u);
  std::vector<std::uint64_t> ring = all.cycles.front();
  std::sort(ring.begin(), ring.end());
  std::vector<std::uint64_t> expected{one.id(), two.id()};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(ring, expected);
  EXPECT_TRUE(contains(all.text(), "in a ring, each waiting for the next: fiber ")) << all.text();
  one.cancel();
  EXPECT_TRUE(ended_cancelled(one));
  two.join();
}

namespace {

// Two fibers take two locks crosswise, the second one in `take_first`. The rings that are then seen.
std::size_t rings_where(const std::function<void(weft::mutex& first)>& take_first) {
  weft::mutex first, second;
  std::atomic<int> holding{0};
  auto one = weft::spawn({.name = "one"}, [&] {
    const std::scoped_lock hold(first);
    ++holding;
    yield_until([&] { return holding == 2; });
    const std::scoped_lock never(second);
  });
  auto two = weft::spawn({.name = "two"}, [&] {
    const std::scoped_lock hold(second);
    ++holding;
    yield_until([&] { return holding == 2; });
    take_first(first);
  });
  dump_when_waiting("one", "mutex::lock");
  const weft::runtime_dump all = dump_when_waiting("two", "mutex::lock");
  EXPECT_EQ(named(all, "two")->has_deadline, all.cycles.empty()) << all.text();
  one.cancel();
  EXPECT_TRUE(ended_cancelled(one));
  two.join();
  return all.cycles.size();
}

}  // namespace

WEFT_TEST(dump, a_wait_with_a_deadline_is_no_ring) {
  const auto lock = [](weft::mutex& first) { const std::scoped_lock hold(first); };
  EXPECT_EQ(rings_where(lock), 1u);
  EXPECT_EQ(rings_where([](weft::mutex& first) {
              if (first.try_lock_for(1h)) first.unlock();
            }),
            0u);
  EXPECT_EQ(rings_where([&](weft::mutex& first) { weft::with_timeout(1h, [&] { lock(first); }); }), 0u);
}

WEFT_TEST(dump, a_timeout_that_cannot_end_a_wait_leaves_a_ring) {
  const auto lock = [](weft::mutex& first) { const std::scoped_lock hold(first); };
  EXPECT_EQ(rings_where([&](weft::mutex& first) {
              weft::with_timeout(1h, [] {});
              weft::timeout_scope moved(1h);
              moved.reschedule(weft::deadline::never());
              lock(first);
            }),
            1u);
  EXPECT_EQ(
      rings_where([&](weft::mutex& first) { weft::with_timeout(1h, [&] { weft::shield([&] { lock(first); }); }); }),
      1u);
  EXPECT_EQ(rings_where([&](weft::mutex& first) {
              weft::shield([&] {
                weft::with_timeout(1h, [&] {
                  weft::with_timeout(2h, [] {});
                  lock(first);
                });
              });
            }),
            0u);
}

WEFT_TEST(dump, goes_on_while_fibers_come_and_go) {
  std::atomic<bool> is_over{false};
  auto churn = weft::spawn([&] {
    while (!is_over) weft::spawn({.name = "short"}, [] { weft::this_fiber::yield(); }).join();
  });
  for (int i = 0; i < 50; ++i) {
    for (const weft::fiber_dump& each : weft::dump().fibers) {
      EXPECT_TRUE(each.name.empty() || each.name == "main" || each.name == "short") << each.name;
    }
    weft::this_fiber::yield();
  }
  is_over = true;
  churn.join();
}

WEFT_TEST(dump, tells_of_children_that_are_called_on_a_stack) {
  weft::event go;
  auto parent = weft::spawn({.name = "parent"}, [&] {
    weft::gather([&] { weft::gather([&] { go.wait(); }, [] {}); }, [] {});
    go.wait();
  });
  const weft::runtime_dump all = dump_when_waiting("parent", "weft::event::wait");
  go.set();
  parent.join();
  EXPECT_EQ(named(all, "parent")->called_children, 2u);
  EXPECT_TRUE(contains(all.text(), ", calling children of weft::gather on its stack, 2 deep")) << all.text();
  EXPECT_TRUE(contains(all.json(), "\"called_children\": 2")) << all.json();
  EXPECT_EQ(named(all, "main")->called_children, 0u);
}

WEFT_TEST(dump, tells_of_children_that_have_stacks_of_their_own) {
  weft::event go;
  auto parent = weft::spawn({.name = "parent"}, [&] { weft::gather([&] { go.wait(); }, [&] { go.wait(); }); });
  const weft::runtime_dump all = dump_when_waiting("", "weft::event::wait");
  go.set();
  parent.join();
  EXPECT_EQ(named(all, "")->file, "");
  EXPECT_TRUE(contains(all.text(), ", a child of weft::gather, waits in weft::event::wait")) << all.text();
}

TEST(dump, json_escapes_and_leaves_out_what_does_not_apply) {
  weft::runtime_dump all;
  weft::fiber_dump fresh;
  fresh.id = 7;
  fresh.name = "a \"quoted\"\nname";
  fresh.file = "x.cpp";
  fresh.line = 3;
  all.fibers.push_back(fresh);
  all.cycles.push_back({1, 2});
  EXPECT_EQ(all.json(),
            "{\"fibers\": [{\"id\": 7, \"name\": \"a \\\"quoted\\\"\\u000aname\", \"file\": \"x.cpp\", \"line\": 3, "
            "\"state\": \"fresh\"}], \"cycles\": [[1, 2]]}");
}

TEST(dump, comes_on_the_signal_that_the_options_name) {
  report_sink sink;
  weft::options wanted;
  wanted.dump_signal = SIGUSR1;
  sink.use_in(wanted);
  weft::runtime here(wanted);
  weft::event go;
  auto waits = here.spawn({.name = "waits"}, [&] { go.wait(); });
  EXPECT_TRUE(eventually([&] {
    std::raise(SIGUSR1);
    return sink.has("\"waits\", spawned at") && sink.has("waits in weft::event::wait");
  })) << sink.all();
  go.set();
  waits.join();
}

WEFT_TEST(dump, tells_whom_a_scope_calls_on_its_owners_stack) {
  weft::event go;
  auto parent = weft::spawn({.name = "parent"}, [&] {
    weft::with_scope([&](weft::scope& crew) { crew.spawn({.name = "called"}, [&] { go.wait(); }); });
  });
  weft::runtime_dump all;
  EXPECT_TRUE(yield_until([&] {
    all = dump_when_waiting("parent", "scope::join");
    return named(all, "called") != nullptr && named(all, "called")->waits_in == "weft::event::wait";
  })) << all.text();
  go.set();
  parent.join();
  EXPECT_EQ(named(all, "parent")->waits_for, std::vector{named(all, "called")->id}) << all.text();
  EXPECT_TRUE(named(all, "called")->waits_for.empty()) << all.text();
}

WEFT_TEST(dump, finds_a_ring_through_a_child_that_is_called) {
  weft::mutex m;
  auto parent = weft::spawn({.name = "parent"}, [&] {
    weft::scope crew;
    const std::scoped_lock hold(m);
    crew.spawn({.name = "called"}, [&] { const std::scoped_lock never(m); });
    crew.join();
  });
  weft::runtime_dump all;
  EXPECT_TRUE(yield_until([&] {
    all = weft::dump();
    return !all.cycles.empty();
  })) << all.text();
  ASSERT_EQ(all.cycles.size(), 1u) << all.text();
  EXPECT_EQ(all.cycles[0].size(), 2u) << all.text();
  parent.cancel();
  EXPECT_THROW(parent.join(), weft::join_cancelled);
}
