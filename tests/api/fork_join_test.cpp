// Children of gather() that are called on their parents' stacks are fibers like any other.
#include "support/with_cores.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

std::uint64_t children_called_on_stacks() {
  std::uint64_t sum = 0;
  for (const weft::core_statistics& each : weft::statistics().cores) sum += each.forked;
  return sum;
}

int depth_of(int n) {
  if (n == 0) return 0;
  const auto [deep, shallow] = weft::gather([n] { return depth_of(n - 1); }, [] { return 1; });
  return deep + shallow;
}

long fibonacci(int n) {
  if (n < 2) return n;
  const auto [left, right] = weft::gather([n] { return fibonacci(n - 1); }, [n] { return fibonacci(n - 2); });
  return left + right;
}

}  // namespace

WEFT_TEST(fork_join, calls_children_without_spawning_where_nobody_is_idle) {
  if (current_setting.cores != 1) return;
  // Where the core is kept from running for a millisecond, a join lets others have it, and its children are spawned.
  EXPECT_TRUE(yield_until([] {
    const std::uint64_t spawned = weft::statistics().cores[0].spawned;
    const std::uint64_t forked = children_called_on_stacks();
    EXPECT_EQ(fibonacci(15), 610);
    return children_called_on_stacks() - forked >= 1'900 && weft::statistics().cores[0].spawned - spawned < 200;
  }));
}

WEFT_TEST(fork_join, children_have_ids_and_no_name) {
  const std::uint64_t mine = weft::this_fiber::id();
  EXPECT_EQ(weft::this_fiber::name(), "main");
  const auto look = [] {
    const std::uint64_t id = weft::this_fiber::id();
    EXPECT_EQ(weft::this_fiber::id(), id);
    EXPECT_EQ(weft::this_fiber::name(), "");
    weft::this_fiber::yield();
    EXPECT_EQ(weft::this_fiber::id(), id);
    return id;
  };
  const auto [a, b] = weft::gather(look, look);
  EXPECT_NE(a, b);
  EXPECT_NE(a, mine);
  EXPECT_NE(b, mine);
  EXPECT_EQ(weft::this_fiber::id(), mine);
  EXPECT_EQ(weft::this_fiber::name(), "main");
}

WEFT_TEST(fork_join, no_two_children_have_the_same_id) {
  std::set<std::uint64_t> seen{0, weft::this_fiber::id()};
  const auto id_around_others = [] {
    const std::uint64_t id = weft::this_fiber::id();
    const auto [a, b] = weft::gather([] { return weft::this_fiber::id(); }, [] { return weft::this_fiber::id(); });
    EXPECT_EQ(weft::this_fiber::id(), id);
    return std::array{id, a, b};
  };
  const std::vector calls(5, id_around_others);
  for (int i = 0; i < 20; ++i) {
    for (const auto& ids : weft::gather(calls)) {
      for (const std::uint64_t each : ids) EXPECT_TRUE(seen.insert(each).second) << each;
    }
  }
}

WEFT_TEST(fork_join, children_own_what_they_lock) {
  weft::recursive_mutex m;
  m.lock();
  weft::gather([&] { EXPECT_FALSE(m.try_lock()); }, [&] { EXPECT_FALSE(m.try_lock()); });
  m.unlock();
  weft::mutex plain;
  plain.lock();
  weft::gather([&] { EXPECT_THROW(plain.unlock(), std::system_error); }, [] {});
  plain.unlock();
}

WEFT_TEST(fork_join, a_child_that_waits_for_a_later_one_does_not_hold_it_up) {
  weft::channel<int> words;
  const auto [got, sent] = weft::gather([&] { return words.receive(); },
                                        [&] {
                                          words.send(7);
                                          return true;
                                        });
  EXPECT_EQ(got, 7);
  EXPECT_TRUE(sent);
  // The same from deep within: the outer joins' children leave the stack, too.
  weft::event go;
  const auto result = weft::gather(
      [&] {
        return weft::gather(
            [&] {
              go.wait();
              return 1;
            },
            [] { return 2; });
      },
      [&] {
        go.set();
        return 3;
      });
  EXPECT_EQ(std::get<0>(std::get<0>(result)), 1);
  EXPECT_EQ(std::get<1>(result), 3);
}

WEFT_TEST(fork_join, children_do_not_see_their_parents_exception) {
  const auto look = [] {
    EXPECT_EQ(std::current_exception(), nullptr);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    try {
      throw std::runtime_error("the child's");
    } catch (const std::runtime_error& error) {
      weft::this_fiber::yield();
      EXPECT_STREQ(error.what(), "the child's");
    }
  };
  try {
    throw std::domain_error("the parent's");
  } catch (...) {
    weft::gather(look, look);
    try {
      throw;
    } catch (const std::domain_error& error) {
      EXPECT_STREQ(error.what(), "the parent's");
    }
  }
}

WEFT_TEST(fork_join, works_while_the_parent_unwinds) {
  std::atomic<int> ran{0};
  struct at_end {
    std::atomic<int>& count;
    ~at_end() {
      weft::gather(
          [this] {
            EXPECT_EQ(std::uncaught_exceptions(), 0);
            weft::this_fiber::yield();
            ++count;
          },
          [this] { ++count; });
      EXPECT_EQ(std::uncaught_exceptions(), 1);
    }
  };
  EXPECT_THROW(
      [&] {
        const at_end later{ran};
        throw std::domain_error("unwinds");
      }(),
      std::domain_error);
  EXPECT_EQ(ran, 2);
  // Cancellation is masked while the cancelled fiber unwinds; its children go on to their ends.
  auto f = weft::spawn([&] {
    const at_end later{ran};
    sleep_for_ever();
  });
  weft::this_fiber::yield();
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_TRUE(ran == 4 || ran == 2) << "it may have been cancelled before it started";
}

WEFT_TEST(fork_join, cancelling_the_parent_cancels_the_child_that_waits) {
  std::atomic<int> ended{0};
  weft::event reached;
  struct at_end {
    std::atomic<int>& count;
    ~at_end() { ++count; }
  };
  auto parent = weft::spawn([&] {
    const auto wait = [&] {
      const at_end later{ended};
      reached.set();
      sleep_for_ever();
    };
    weft::gather(wait, wait, [&] { weft::gather(wait, wait); });
    ADD_FAILURE() << "it was cancelled";
  });
  reached.wait();
  parent.cancel();
  EXPECT_THROW(parent.join(), weft::join_cancelled);
  EXPECT_GE(ended, 1);
  EXPECT_LE(ended, 4);
}

WEFT_TEST(fork_join, an_error_cancels_the_others_wherever_they_are) {
  for (int thrower = 0; thrower < 3; ++thrower) {
    const auto child = [thrower](int me) {
      return [thrower, me] {
        if (me != thrower) sleep_for_ever();
        weft::this_fiber::yield();
        throw std::domain_error(std::to_string(me));
      };
    };
    try {
      weft::gather(child(0), child(1), child(2));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::domain_error& error) {
      EXPECT_EQ(error.what(), std::to_string(thrower));
    }
  }
  weft::this_fiber::yield();  // Nothing is left of the cancellation.
}

WEFT_TEST(fork_join, an_error_outside_reaches_the_others_while_the_parents_stack_is_busy) {
  std::atomic<bool> is_told{false};
  const auto stay_busy = [&] { weft::shield([&] { EXPECT_TRUE(yield_until([&] { return is_told.load(); })); }); };
  const auto wait_to_be_told = [&] {
    struct at_end {
      std::atomic<bool>& told;
      ~at_end() { told = true; }
    } const later{is_told};
    sleep_for_ever();
  };
  std::atomic<bool> sleeps{false};
  const auto fail = [&] {
    EXPECT_TRUE(yield_until([&] { return sleeps.load(); }));
    throw std::domain_error("outside");
  };
  const auto begin_to_sleep = [&] {
    sleeps = true;
    wait_to_be_told();
  };
  EXPECT_THROW(weft::gather(stay_busy, fail, begin_to_sleep), std::domain_error);
}

WEFT_TEST(fork_join, several_errors_arrive_together) {
  weft::barrier both(2);
  const auto fail = [&] {
    both.arrive_and_wait();
    throw std::domain_error("one of two");
  };
  try {
    weft::gather(fail, fail);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const weft::scope_errors& errors) {
    EXPECT_EQ(errors.errors().size(), 2u);
  } catch (const std::domain_error&) {
    // The first cancelled the second in its wait.
  }
}

WEFT_TEST(fork_join, children_of_a_cancelled_fiber_never_run) {
  bool ran = false;
  auto f = weft::spawn([&] {
    try {
      sleep_for_ever();
    } catch (const weft::cancelled&) {
      EXPECT_THROW(weft::gather([&] { ran = true; }, [&] { ran = true; }), weft::cancelled);
      throw;
    }
  });
  weft::this_fiber::yield();
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_FALSE(ran);
}

WEFT_TEST(fork_join, somebody_elses_cancelled_is_an_error) {
  std::exception_ptr foreign;
  auto f = weft::spawn([&] {
    try {
      sleep_for_ever();
    } catch (const weft::cancelled&) {
      foreign = std::current_exception();
      throw;
    }
  });
  weft::this_fiber::yield();
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  if (foreign == nullptr) return;  // It was cancelled before it started.
  const auto rethrow = [&]() -> int { std::rethrow_exception(foreign); };
  EXPECT_THROW(weft::gather(rethrow, [] { return 1; }), weft::join_cancelled);
  EXPECT_THROW(weft::gather([] { return 1; }, rethrow), weft::join_cancelled);
}

WEFT_TEST(fork_join, goes_on_where_the_stack_ends) { EXPECT_EQ(depth_of(3'000), 3'000); }

WEFT_TEST(fork_join, of_very_many_that_wait_for_each_other) {
  constexpr std::size_t count = 2'000;
  std::atomic<std::size_t> arrived{0};
  weft::event all;
  const std::vector<std::function<void()>> calls(count, [&] {
    if (++arrived == count) all.set();
    all.wait();
  });
  weft::gather(calls);
  EXPECT_EQ(arrived, count);
  const std::vector<std::function<void()>> sleepers(count, sleep_for_ever);
  EXPECT_THROW(weft::with_timeout(5ms, [&] { weft::gather(sleepers); }), weft::timed_out);
}

WEFT_TEST(fork_join, what_a_child_detaches_lives_on) {
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  weft::gather(
      [&] {
        weft::spawn_detached([ended] {
          weft::this_fiber::yield();
          *ended = true;
        });
      },
      [] {});
  EXPECT_TRUE(yield_until([&] { return ended->load(); }));
}

WEFT_TEST(fork_join, a_child_keeps_the_thread_of_a_pinned_parent) {
  const weft::pin_guard pinned;
  const std::size_t core = weft::this_fiber::core();
  weft::gather([] { weft::this_fiber::yield(); }, [] { weft::this_fiber::yield(); });
  EXPECT_EQ(weft::this_fiber::core(), core);
}

WEFT_TEST(fork_join, a_child_that_keeps_its_thread_does_so_under_a_parent_that_does_not) {
  auto parent = weft::spawn({.migration = weft::migration::free}, [] {
    for (int i = 0; i < 50; ++i) {
      const auto stay = [] {
        if (current_setting.migrates()) return;
        const std::size_t core = weft::this_fiber::core();
        for (int n = 0; n < 5; ++n) weft::this_fiber::yield();
        EXPECT_EQ(weft::this_fiber::core(), core);
      };
      weft::gather(stay, stay);
    }
  });
  parent.join();
}

WEFT_TEST(fork_join, lets_others_run_during_a_long_computation) {
  if (current_setting.cores != 1) return;
  std::atomic<bool> is_over{false};
  int naps = 0;
  auto other = weft::spawn([&] {
    while (!is_over) {
      weft::this_fiber::sleep_for(100us);
      ++naps;
    }
  });
  weft::this_fiber::yield();
  const auto begin = std::chrono::steady_clock::now();
  while (naps < 2 && std::chrono::steady_clock::now() - begin < long_enough) fibonacci(12);
  EXPECT_GE(naps, 2);
  is_over = true;
  other.join();
}
