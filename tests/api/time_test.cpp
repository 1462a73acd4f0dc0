// Sleeping, yielding and the order of both.
#include "support/with_cores.h"

#include <algorithm>

#include <atomic>
#include <string>

using namespace weft_test;
using clock_type = std::chrono::steady_clock;

WEFT_TEST_EACH_REACTOR(sleep, lasts_at_least_as_long_as_it_is_told) {
  for (const auto length : {1ns, 50'000ns, 1'000'000ns, 3'000'000ns}) {
    const auto begin = clock_type::now();
    weft::this_fiber::sleep_for(length);
    EXPECT_GE(clock_type::now() - begin, length);
  }
  const auto moment = clock_type::now() + 2ms;
  weft::this_fiber::sleep_until(moment);
  EXPECT_GE(clock_type::now(), moment);
}

// On a busy machine sleeps are over before they began, or several at once, and then different threads may end them: then
// once more, with more time between them.
WEFT_TEST_EACH_REACTOR(sleep, ends_in_the_order_of_the_deadlines) {
  for (auto lead = 2ms; lead < long_enough; lead *= 2) {
    std::string order;
    std::atomic<bool> was_late{false};
    const auto begin = clock_type::now() + lead;
    std::vector<weft::fiber<void>> crew;
    const std::size_t here = weft::this_fiber::core();
    for (const int turn : {3, 1, 4, 0, 2}) {
      crew.push_back(weft::spawn({.core = here}, [&, turn] {
        if (clock_type::now() >= begin) was_late = true;
        weft::this_fiber::sleep_until(begin + turn * lead);
        if (clock_type::now() >= begin + (turn + 1) * lead) was_late = true;
        order += static_cast<char>('0' + turn);
      }));
    }
    for (auto& each : crew) each.join();
    if (was_late) continue;
    EXPECT_EQ(order, "01234");
    return;
  }
}

WEFT_TEST(sleep, without_length_only_yields) {
  for (const auto none : {0ns, -1ns, std::chrono::nanoseconds::min()}) {
    std::atomic<bool> other{false};
    auto f = weft::spawn({.core = weft::this_fiber::core()}, [&] { other = true; });
    const auto begin = clock_type::now();
    while (!other) weft::this_fiber::sleep_for(none);
    EXPECT_LT(clock_type::now() - begin, long_enough);
    f.join();
  }
  weft::this_fiber::sleep_until(clock_type::now() - 1h);
  weft::this_fiber::sleep_until(clock_type::time_point::min());
  weft::this_fiber::sleep_for(std::chrono::hours::min());
  weft::this_fiber::sleep_for(std::chrono::duration<double>(-1e30));
}

WEFT_TEST(sleep, too_long_for_the_clock_lasts_until_it_is_cancelled) {
  const auto sleeping_for = [](auto length) { return weft::spawn([length] { weft::this_fiber::sleep_for(length); }); };
  auto hours = sleeping_for(std::chrono::hours::max());
  auto nanoseconds = sleeping_for(std::chrono::nanoseconds::max());
  auto seconds = sleeping_for(std::chrono::duration<double>(1e30));
  weft::this_fiber::sleep_for(1ms);
  for (weft::fiber<void>* each : {&hours, &nanoseconds, &seconds}) {
    EXPECT_FALSE(each->done());
    each->cancel();
    EXPECT_THROW(each->join(), weft::join_cancelled);
  }
}

WEFT_TEST_EACH_REACTOR(sleep, of_many_fibers_ends_for_all) {
  std::vector<weft::fiber<void>> crew;
  std::atomic<std::size_t> woken{0};
  const std::size_t count = repeated(1'000, 200);
  for (std::size_t i = 0; i < count; ++i) {
    crew.push_back(weft::spawn([&, i] {
      for (std::size_t k = 0; k < 3; ++k) weft::this_fiber::sleep_for(std::chrono::microseconds((i * 7 + k) % 900));
      ++woken;
    }));
  }
  for (auto& each : crew) each.join();
  EXPECT_EQ(woken, count);
}

WEFT_TEST(sleep, works_on_plain_threads) {
  std::thread outside([] {
    const auto begin = clock_type::now();
    weft::this_fiber::sleep_for(2ms);
    weft::this_fiber::yield();
    EXPECT_GE(clock_type::now() - begin, 2ms);
    EXPECT_EQ(weft::this_fiber::id(), 0u);
    EXPECT_EQ(weft::this_fiber::name(), "");
  });
  outside.join();
}

WEFT_TEST(yield, lets_two_fibers_alternate) {
  std::string order;
  const std::size_t here = weft::this_fiber::core();
  const auto writer = [&](char letter) {
    return weft::spawn({.core = here}, [&order, letter] {
      for (int i = 0; i < 50; ++i) {
        order += letter;
        weft::this_fiber::yield();
      }
    });
  };
  auto a = writer('a');
  auto b = writer('b');
  a.join();
  b.join();
  ASSERT_EQ(order.size(), 100u);
  if (is_shuffled) return;
  // Which one begins is free, and the look at events in between lets no one go twice.
  for (std::size_t i = 2; i < order.size(); ++i) {
    EXPECT_EQ(order[i], order[i - 2]) << order;
    EXPECT_NE(order[i], order[i - 1]) << order;
  }
}

WEFT_TEST(yield, alone_returns) {
  for (int i = 0; i < 1'000; ++i) weft::this_fiber::yield();
}

// --- Fairness ------------------------------------------------------------------------------------------------------------

namespace {

// Keeps core `here` busy with yielding fibers until `enough` is set.
std::vector<weft::fiber<void>> busy_crowd(const std::atomic<bool>& enough) {
  std::vector<weft::fiber<void>> crowd;
  for (std::size_t core = 0; core < current_setting.cores; ++core) {
    for (int i = 0; i < 3; ++i) {
      crowd.push_back(weft::spawn({.core = core}, [&enough] {
        while (!enough) weft::this_fiber::yield();
      }));
    }
  }
  return crowd;
}

}  // namespace

WEFT_TEST_EACH_REACTOR(fairness, yielding_fibers_starve_nobody) {
  std::atomic<bool> enough{false};
  auto crowd = busy_crowd(enough);
  weft::spawn([] {}).join();
  weft::spawn({.core = current_setting.cores - 1}, [] {}).join();
  weft::spawn({.migration = weft::migration::free}, [] {
    for (int i = 0; i < 5; ++i) weft::this_fiber::yield();
    weft::this_fiber::sleep_for(1ms);
  }).join();
  weft::this_fiber::sleep_for(1ms);
  enough = true;
  for (auto& each : crowd) each.join();
}

WEFT_TEST(fairness, a_spawning_crowd_starves_neither_wanted_nor_migrating_fibers) {
  std::atomic<bool> enough{false};
  std::atomic<int> waiting{0};
  constexpr int most_waiting = 20;  // There is always more to start, but no more than a core gets through.
  std::vector<weft::fiber<void>> crowd;
  for (std::size_t core = 0; core < current_setting.cores; ++core) {
    for (int i = 0; i < 2; ++i) {
      crowd.push_back(weft::spawn({.core = core, .migration = weft::migration::at_start}, [&] {
        while (!enough) {
          if (++waiting <= most_waiting) {
            weft::spawn_detached([&waiting] { --waiting; });
          } else {
            --waiting;
          }
          weft::this_fiber::yield();
        }
      }));
    }
  }
  for (std::size_t core = 0; core < current_setting.cores; ++core) weft::spawn({.core = core}, [] {}).join();
  weft::spawn({.migration = weft::migration::free}, [] {
    for (int i = 0; i < 5; ++i) weft::this_fiber::yield();
  }).join();
  enough = true;
  for (auto& each : crowd) each.join();
  yield_until([&] { return waiting == 0; });
}

WEFT_TEST(fairness, two_that_wake_each_other_starve_nobody) {
  weft::mutex gate;
  weft::condition_variable turned;
  bool enough = false;
  int turn = 0;
  const std::size_t here = weft::this_fiber::core();
  const auto player = [&](int mine) {
    return weft::spawn({.core = here}, [&, mine] {
      std::unique_lock lock(gate);
      while (!enough) {
        turn = 1 - mine;
        turned.notify_one();
        turned.wait(lock, [&] { return turn == mine || enough; });
      }
      turned.notify_all();
    });
  };
  auto one = player(0);
  auto two = player(1);
  weft::spawn({.core = here}, [] { weft::this_fiber::sleep_for(1ms); }).join();
  {
    const std::lock_guard hold(gate);
    enough = true;
  }
  turned.notify_all();
  one.join();
  two.join();
}

// Whoever spawns and yields for ever must not spawn faster than the others start: memory would grow without bound.
TEST(fairness, what_is_spawned_starts_as_fast_as_it_is_spawned) {
  weft::options wanted;
  wanted.cores = 1;
  weft::run(wanted, [] {
    constexpr int rounds = 20000;
    int started = 0;
    int most_behind = 0;
    auto other = weft::spawn([&] {
      for (int i = 0; i < rounds; ++i) weft::this_fiber::yield();
    });
    for (int i = 0; i < rounds; ++i) {
      weft::spawn_detached([&started] { ++started; });
      weft::this_fiber::yield();
      most_behind = std::max(most_behind, i - started);
    }
    other.join();
    EXPECT_LT(most_behind, 1000);
  });
}

// A round is 64 turns: if it lasted as long as that, these 16 would see a nap at most. The monitor, which ends it sooner,
// may be kept from its CPU for a while: then once more, with longer turns.
WEFT_TEST(fairness, one_that_computes_between_yields_starves_no_sleeper) {
  if (current_setting.cores != 1) return;
  std::atomic<bool> is_over{false};
  int naps = 0;
  auto sleeper = weft::spawn([&] {
    while (!is_over) {
      weft::this_fiber::sleep_for(100us);
      ++naps;
    }
  });
  weft::this_fiber::yield();
  const auto naps_in_turns_of = [&](std::chrono::milliseconds length) {
    const int before = naps;
    for (int turn = 0; turn < 16; ++turn) {
      const auto end = clock_type::now() + length;
      while (clock_type::now() < end) {
      }
      weft::this_fiber::yield();
    }
    return naps - before;
  };
  bool has_napped = false;
  for (auto length = 5ms; !has_napped && length < 500ms; length *= 4) has_napped = naps_in_turns_of(length) >= 4;
  EXPECT_TRUE(has_napped);
  is_over = true;
  sleeper.join();
}

// 600 moments, 50 us apart, are 115 where those of much the same length fall together. Where it takes long to start them
// all, what is left of them is not much the same: then once more, with longer ones.
TEST(sleep, of_much_the_same_length_ends_together) {
  weft::run({.cores = 1, .spin = 0us}, [] {
    const auto parks = [] { return weft::statistics().cores[0].parks; };
    for (auto shortest = 200ms; shortest < long_enough; shortest *= 2) {
      const auto before = parks();
      const auto begin = clock_type::now();
      auto all_began = begin;
      weft::with_scope([&](weft::scope& sleepers) {
        for (int i = 0; i < 600; ++i) {
          sleepers.spawn([&, i] {
            const auto end = begin + shortest + i * 50us;
            all_began = clock_type::now();
            weft::this_fiber::sleep_until(end);
            EXPECT_GE(clock_type::now(), end);
          });
        }
      });
      if (all_began - begin > shortest / 4) continue;
      EXPECT_LT(parks() - before, 200u);
      return;
    }
    ADD_FAILURE() << "they never start in time";
  });
}

// Longer than a program pauses: its pages would have to be had again.
TEST(idle_runtime, gives_the_memory_of_pooled_stacks_back_after_a_second) {
  weft::runtime here({.cores = 1});
  clock_type::time_point begin;  // Of the end of the first one.
  auto work = here.spawn([&] {
    weft::event go;
    weft::latch all_there(1500);
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 1500; ++i) {
        crew.spawn([&] {
          all_there.count_down();
          go.wait();
        });
      }
      all_there.wait();
      begin = clock_type::now();
      go.set();
    });
  });
  work.join();
  const std::size_t pooled = here.statistics().stacks_pooled;
  if (clock_type::now() - begin < 900ms) {
    EXPECT_GT(pooled, 1000u);
  }
  EXPECT_TRUE(eventually([&] { return here.statistics().stacks_pooled < 500; }));
  EXPECT_GE(clock_type::now() - begin, 900ms);
}
