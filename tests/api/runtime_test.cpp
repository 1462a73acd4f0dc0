// Runtimes: how they are asked for, how several live side by side, and what becomes of fibers at their end.
#include "support/with_cores.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

using namespace weft_test;

namespace {

template <class Call>
std::string refusal_of(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

template <class Call>
std::error_code code_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

std::string refusal_with(const std::function<void(weft::options&)>& adjust) {
  weft::options wanted;
  adjust(wanted);
  return refusal_of([&] { const weft::runtime never(wanted); });
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

weft::options narrow(std::size_t cores = 2) {
  weft::options wanted;
  wanted.cores = cores;
  return wanted;
}

std::size_t mappings() {
  std::ifstream file("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

// Runs `child()` in a fork and says how that ended; a child that hangs is killed by its alarm.
template <class Child>
int exit_code_of_fork(Child child) {
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(30);
    _exit(child());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace

// --- Options -------------------------------------------------------------------------------------------------------------

TEST(options, refuse_what_cannot_be_and_name_it) {
  const std::string none = refusal_with([](weft::options& o) { o.cores = 0; });
  EXPECT_TRUE(says(none, "cores = 0")) << none;
  const std::string many = refusal_with([](weft::options& o) { o.cores = weft::options::most_cores + 1; });
  EXPECT_TRUE(says(many, "cores = 1025")) << many;
  const std::string shape = refusal_with([](weft::options& o) { o.topology = "no such thing"; });
  EXPECT_TRUE(says(shape, "no such thing")) << shape;
  const std::string wide = refusal_with([](weft::options& o) { o.topology = "node:2 core:1000 pu:1"; });
  EXPECT_TRUE(says(wide, "node:2 core:1000 pu:1")) << wide;
  const std::string small = refusal_with([](weft::options& o) { o.stack_bytes = 100; });
  EXPECT_TRUE(says(small, "stack_bytes = 100")) << small;
  const std::string large = refusal_with([](weft::options& o) { o.stack_bytes = std::size_t{1} << 40; });
  EXPECT_TRUE(says(large, "1099511627776")) << large;
  const std::string spin = refusal_with([](weft::options& o) { o.spin = -1ns; });
  EXPECT_TRUE(says(spin, "spin = -1 ns")) << spin;
}

TEST(options, refused_leave_nothing_behind) {
  const footprint before = footprint::now();
  refusal_with([](weft::options& o) { o.topology = "nonsense"; });
  refusal_with([](weft::options& o) { o.cores = 0; });
  EXPECT_EQ(footprint::now(), before);
}

TEST(options, a_synthetic_topology_decides_the_cores) {
  weft::options wanted;
  wanted.topology = "node:2 core:3 pu:1";
  weft::runtime here(wanted);
  EXPECT_EQ(here.cores(), 6u);
  for (std::size_t core = 0; core < 6; ++core) {
    EXPECT_EQ(here.spawn({.core = core}, [] { return weft::this_fiber::core(); }).join(), core);
  }
  wanted.cores = 4;
  EXPECT_EQ(weft::run(wanted, [] { return weft::statistics().cores.size(); }), 4u);
}

TEST(options, every_pinning_and_spinning_works) {
  for (const weft::pinning pin : {weft::pinning::core, weft::pinning::node, weft::pinning::none}) {
    for (const auto spin : {0ns, 1'000'000ns}) {
      weft::options wanted = narrow();
      wanted.pin = pin;
      wanted.spin = spin;
      EXPECT_EQ(weft::run(wanted, [] { return weft::spawn([] { return 1; }).join(); }), 1);
    }
  }
}

// --- Where calls may be made ---------------------------------------------------------------------------------------------

TEST(outside, calls_for_fibers_are_refused_by_name) {
  const auto not_permitted = std::make_error_code(std::errc::operation_not_permitted);
  EXPECT_EQ(code_of([] { weft::spawn([] {}).join(); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::spawn({.name = "n"}, [] {}).join(); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::spawn_detached([] {}); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::this_fiber::core(); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::statistics(); }), not_permitted);
  try {
    weft::spawn([] {}).join();
  } catch (const std::system_error& error) {
    EXPECT_TRUE(says(error.what(), "weft::spawn")) << error.what();
  }
  EXPECT_EQ(weft::this_fiber::id(), 0u);
  EXPECT_EQ(weft::this_fiber::name(), "");
  weft::this_fiber::yield();
  weft::this_fiber::sleep_for(-1s);
  const weft::pin_guard without_effect;
}

TEST(outside, synchronisation_works_without_any_runtime) {
  weft::mutex gate;
  weft::condition_variable told;
  bool done = false;
  std::thread other([&] {
    const std::lock_guard hold(gate);
    done = true;
    told.notify_all();
  });
  std::unique_lock lock(gate);
  told.wait(lock, [&] { return done; });
  EXPECT_EQ(told.wait_for(lock, 1ms), std::cv_status::timeout);
  lock.unlock();
  other.join();
}

WEFT_TEST(run, is_refused_inside_a_fiber) {
  EXPECT_EQ(code_of([] { weft::run([] {}); }), std::errc::resource_deadlock_would_occur);
}

TEST(run, returns_the_result_or_throws_the_error) {
  EXPECT_EQ(weft::run(narrow(), [] { return std::string("result"); }), "result");
  EXPECT_THROW(weft::run(narrow(), [] { throw std::domain_error("own"); }), std::domain_error);
  EXPECT_EQ(*weft::run(narrow(), [] { return std::make_unique<int>(3); }), 3);
}

// --- From outside --------------------------------------------------------------------------------------------------------

TEST(runtime, is_spawned_into_by_many_plain_threads) {
  weft::runtime here(narrow());
  std::atomic<std::size_t> sum{0};
  std::vector<std::thread> crowd;
  for (std::size_t t = 0; t < 4; ++t) {
    crowd.emplace_back([&] {
      for (std::size_t i = 0; i < repeated(500, 50); ++i) {
        EXPECT_EQ(here.spawn([&, i] {
                        ++sum;
                        return i;
                      })
                      .join(),
                  i);
        here.spawn_detached([&] { ++sum; });
        EXPECT_EQ(here.spawn({.name = "on", .core = i % 2}, [] { return weft::this_fiber::core(); }).join(), i % 2);
      }
    });
  }
  for (std::thread& each : crowd) each.join();
  EXPECT_TRUE(eventually([&] { return sum == 4 * 2 * repeated(500, 50); }));
  expect_nothing_left(here);
}

TEST(runtime, lives_beside_others_that_join_its_fibers) {
  weft::runtime one(narrow()), two(narrow()), three(narrow(1));
  auto f = one.spawn([&] {
    return two.spawn([&] {
                weft::this_fiber::yield();
                return three
                           .spawn([] {
                             weft::this_fiber::sleep_for(100us);
                             return 5;
                           })
                           .join() +
                       1;
              })
               .join() +
           1;
  });
  EXPECT_EQ(f.join(), 7);
}

TEST(runtime, shares_a_mutex_with_others) {
  weft::runtime one(narrow()), two(narrow());
  weft::mutex gate;
  weft::condition_variable moved;
  int ball = 0;
  const int rounds = static_cast<int>(repeated(500, 50));
  const auto play = [&](int parity) {
    for (int i = 0; i < rounds; ++i) {
      std::unique_lock lock(gate);
      moved.wait(lock, [&] { return ball % 2 == parity; });
      ++ball;
      moved.notify_all();
    }
  };
  auto a = one.spawn([&] { play(0); });
  auto b = two.spawn([&] { play(1); });
  a.join();
  b.join();
  EXPECT_EQ(ball, 2 * rounds);
}

TEST(runtime, may_be_outlived_by_handles) {
  weft::fiber<std::string> value;
  weft::fiber<void> error, cancelled, dropped;
  weft::fiber<std::unique_ptr<int>> forgotten;
  {
    weft::options wanted = narrow();
    wanted.on_lost_error = [](const weft::lost_error&) {};
    weft::runtime here(wanted);
    value = here.spawn({.name = "kept"}, [] { return std::string(100, 'v'); });
    error = here.spawn([] { throw std::domain_error("kept"); });
    cancelled = here.spawn([] { weft::this_fiber::sleep_for(1h); });
    dropped = here.spawn([] { throw std::domain_error("dropped"); });
    forgotten = here.spawn([] { return std::make_unique<int>(1); });
    ASSERT_TRUE(eventually([&] { return value.done() && error.done() && dropped.done() && forgotten.done(); }));
  }
  EXPECT_EQ(value.name(), "kept");
  EXPECT_TRUE(value.done());
  value.cancel();
  EXPECT_EQ(value.join(), std::string(100, 'v'));
  EXPECT_THROW(error.join(), std::domain_error);
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_THROW(cancelled.join(), weft::join_cancelled);
  dropped = {};
  forgotten.detach();
}

TEST(runtime, counts_what_its_cores_did) {
  weft::runtime here(narrow());
  here.spawn([] {
        std::vector<weft::fiber<void>> crew;
        for (int i = 0; i < 100; ++i) crew.push_back(weft::spawn([] { weft::this_fiber::sleep_for(10us); }));
        for (auto& each : crew) each.join();
      })
      .join();
  const weft::runtime_statistics counts = here.statistics();
  std::uint64_t started = 0, ended = 0, timers = 0, spawned = counts.spawned_outside;
  for (const weft::core_statistics& each : counts.cores) {
    started += each.started, ended += each.ended, timers += each.timers_fired, spawned += each.spawned;
  }
  EXPECT_EQ(spawned, 101u);
  EXPECT_EQ(started, 101u);
  EXPECT_EQ(ended, 101u);
  EXPECT_GT(timers, 0u);
}

// --- The end -------------------------------------------------------------------------------------------------------------

namespace {

// Ends a runtime while `crew` of its fibers are in `wait()`, and expects all of them to have unwound.
void expect_unwound_at_the_end(const std::function<void()>& wait, std::size_t crew = 20) {
  for (const std::size_t cores : widths()) {
    for (const weft::migration migration : {weft::migration::at_start, weft::migration::free}) {
      weft::options wanted = narrow(cores);
      wanted.migration = migration;
      wanted.on_lost_error = [](const weft::lost_error&) {};  // Who joined a cancelled child may end with its error.
      const footprint before = footprint::now();
      std::atomic<std::size_t> began{0}, unwound{0};
      {
        struct counting {
          std::atomic<std::size_t>& to;
          ~counting() { ++to; }
        };
        weft::runtime here(wanted);
        for (std::size_t i = 0; i < crew; ++i) {
          here.spawn_detached([&] {
            const counting at_end{unwound};
            ++began;
            wait();
          });
        }
        ASSERT_TRUE(eventually([&] { return began == crew; }));
      }
      EXPECT_EQ(unwound, crew);
      EXPECT_TRUE(eventually([&] { return footprint::now() == before; })) << footprint::now() << " from " << before;
    }
  }
}

}  // namespace

TEST(end, unwinds_sleepers) {
  expect_unwound_at_the_end([] { weft::this_fiber::sleep_for(1h); });
  expect_unwound_at_the_end([] { weft::this_fiber::sleep_for(std::chrono::hours::max()); });
}

TEST(end, unwinds_those_that_run) {
  expect_unwound_at_the_end([] {
    for (;;) weft::this_fiber::yield();
  });
}

TEST(end, unwinds_those_that_wait_for_a_mutex) {
  weft::mutex gate;
  const std::lock_guard hold(gate);
  expect_unwound_at_the_end([&] { const std::lock_guard never(gate); });
}

TEST(end, unwinds_those_that_wait_for_a_condition) {
  weft::mutex gate;
  weft::condition_variable never_told;
  expect_unwound_at_the_end([&] {
    std::unique_lock lock(gate);
    never_told.wait(lock, [] { return false; });
  });
}

TEST(end, unwinds_those_that_join_and_their_children) {
  expect_unwound_at_the_end([] { weft::spawn([] { weft::this_fiber::sleep_for(1h); }).join(); });
}

TEST(end, unwinds_those_in_socket_calls) {
  expect_unwound_at_the_end([] {
    weft::net::tcp_listener listener({weft::net::ip_address::loopback(), 0});
    static_cast<void>(listener.accept());
  });
  expect_unwound_at_the_end(
      [] {
        weft::net::tcp_listener listener({weft::net::ip_address::loopback(), 0});
        auto client = weft::net::tcp_stream::connect(listener.local_endpoint());
        auto server = listener.accept();
        std::byte buffer[16];
        static_cast<void>(server.read(buffer));
      },
      10);
}

TEST(end, never_runs_what_has_not_started) {
  auto life = std::make_shared<int>(0);
  {
    weft::runtime here(narrow(1));
    std::atomic<bool> full{false};
    here.spawn_detached([&] {
      for (int i = 0; i < 1'000; ++i) {
        here.spawn_detached([life] { weft::this_fiber::sleep_for(1h); });
      }
      full = true;
    });
    eventually([&] { return full.load(); });
  }
  EXPECT_EQ(life.use_count(), 1);
}

TEST(end, cancels_what_is_spawned_meanwhile) {
  std::atomic<int> generations{0};
  {
    weft::runtime here(narrow());
    std::function<void()> breed = [&] {
      struct breeding {
        std::function<void()>& next;
        std::atomic<int>& generations;
        ~breeding() {
          if (++generations < 20) weft::spawn_detached(next);
        }
      };
      const breeding at_end{breed, generations};
      weft::this_fiber::sleep_for(1h);
    };
    here.spawn(std::ref(breed)).detach();
    std::atomic<bool> seen{false};
    here.spawn_detached([&] { seen = true; });
    eventually([&] { return seen.load(); });
  }
  EXPECT_GE(generations, 0);
}

TEST(end, leaves_nothing_over_many_lives) {
  const auto live_once = [](std::size_t i) {
    weft::options wanted = narrow(1 + i % 4);
    wanted.migration = i % 2 == 0 ? weft::migration::at_start : weft::migration::free;
    wanted.reactor = static_cast<weft::reactor_mode>(i % 3);
    weft::runtime here(wanted);
    if (i % 5 == 0) return;
    auto f = here.spawn([] { return weft::spawn([] { return 1; }).join(); });
    if (i % 3 == 0) {
      f.detach();
    } else {
      EXPECT_EQ(f.join(), 1);
    }
  };
  for (std::size_t i = 0; i < 24; ++i) live_once(i);
  const footprint before = footprint::now();
  const std::size_t maps = mappings();
  for (std::size_t i = 0; i < repeated(1'000, 60); ++i) live_once(i);
  EXPECT_TRUE(eventually([&] { return footprint::now() == before; })) << footprint::now() << " from " << before;
  // The allocator may keep an arena for a thread or two more.
  if (!is_instrumented) {
    EXPECT_LE(mappings(), maps + 20);
  }
}

// --- Errors that nobody joins ---------------------------------------------------------------------------------------

TEST(lost_error, is_told_with_name_and_place) {
  std::mutex lock;
  std::vector<std::string> lost;
  weft::options wanted = narrow();
  wanted.on_lost_error = [&](const weft::lost_error& error) {
    const std::scoped_lock hold(lock);
    try {
      std::rethrow_exception(error.error);
    } catch (const std::exception& e) {
      lost.push_back(std::string(error.fiber_name) + ": " + e.what());
    }
    EXPECT_NE(error.fiber_id, 0u);
    EXPECT_TRUE(says(std::string(error.file), "runtime_test.cpp")) << error.file;
    EXPECT_GT(error.line, 0u);
  };
  weft::run(wanted, [] {
    weft::spawn_detached({.name = "detached"}, [] { throw std::runtime_error("one"); });
    weft::spawn({.name = "let go"}, [] { throw std::runtime_error("two"); }).detach();
    {
      auto dropped = weft::spawn({.name = "dropped"}, [] { throw std::runtime_error("three"); });
      yield_until([&] { return dropped.done(); });
    }
    auto late = weft::spawn({.name = "late"}, [] { throw std::runtime_error("four"); });
    yield_until([&] { return late.done(); });
    late.detach();
    auto joined = weft::spawn([] { throw std::runtime_error("not lost"); });
    EXPECT_THROW(joined.join(), std::runtime_error);
    weft::spawn([] { weft::this_fiber::sleep_for(1h); }).cancel();
    yield_until([] { return weft::statistics().live_fibers == 1; });
  });
  std::sort(lost.begin(), lost.end());
  EXPECT_EQ(lost, (std::vector<std::string>{"detached: one", "dropped: three", "late: four", "let go: two"}));
}

TEST(lost_error, without_a_handler_becomes_a_report) {
  std::string reports;
  weft::options wanted = narrow(1);
  wanted.on_report = [&](std::string_view text) { reports += text; };
  weft::run(wanted, [] {
    weft::spawn({.name = "forlorn"}, [] { throw std::runtime_error("the reason"); }).detach();
    weft::spawn_detached([] { throw 1; });
    yield_until([] { return weft::statistics().live_fibers == 1; });
  });
  EXPECT_TRUE(says(reports, "forlorn") && says(reports, "the reason")) << reports;
  EXPECT_TRUE(says(reports, "no std::exception")) << reports;
}

TEST(lost_error, a_handle_dropped_by_its_own_fiber_is_reported) {
  std::string reports;
  weft::options wanted = narrow(1);
  wanted.on_report = [&](std::string_view text) { reports += text; };
  weft::run(wanted, [] {
    weft::fiber<void> self;
    self = weft::spawn({.name = "ouroboros"}, [&] { self = {}; });
    yield_until([] { return weft::statistics().live_fibers == 1; });
  });
  EXPECT_TRUE(says(reports, "ouroboros")) << reports;
}

// --- Limits --------------------------------------------------------------------------------------------------------------

TEST(limits, fibers_that_get_no_stack_say_so_and_others_go_on) {
  for (const std::size_t cores : {1, 2}) {
    weft::options wanted = narrow(cores);
    wanted.max_stacks = 100;
    weft::run(wanted, [] {
      weft::mutex gate;
      weft::condition_variable told;
      bool done = false;
      std::vector<weft::fiber<int>> crowd;
      for (int i = 0; i < 400; ++i) {
        crowd.push_back(weft::spawn([&, i] {
          std::unique_lock lock(gate);
          told.wait(lock, [&] { return done; });
          return i;
        }));
      }
      std::size_t refused = 0;
      for (int i = 0; i < 50; ++i) weft::this_fiber::sleep_for(100us);
      {
        const std::lock_guard hold(gate);
        done = true;
      }
      told.notify_all();
      for (int i = 0; i < 400; ++i) {
        try {
          EXPECT_EQ(crowd[static_cast<std::size_t>(i)].join(), i);
        } catch (const std::system_error& error) {
          EXPECT_EQ(error.code(), std::errc::not_enough_memory) << error.what();
          EXPECT_TRUE(says(error.what(), "stack")) << error.what();
          ++refused;
        }
      }
      EXPECT_GE(refused, 200u);
      EXPECT_LT(refused, 400u);
      EXPECT_EQ(weft::spawn([] { return 1; }).join(), 1);
    });
  }
}

TEST(limits, a_hundred_thousand_fibers_wait_at_once) {
  weft::runtime here(weft::options{});
  const std::size_t count = is_instrumented ? 5'000 : 100'000;
  here.spawn([&] {
        weft::mutex gate;
        weft::condition_variable told;
        bool done = false;
        std::size_t waiting = 0;
        std::vector<weft::fiber<void>> crowd;
        crowd.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
          crowd.push_back(weft::spawn([&] {
            std::unique_lock lock(gate);
            ++waiting;
            told.wait(lock, [&] { return done; });
          }));
        }
        EXPECT_TRUE(yield_until([&] {
          const std::lock_guard hold(gate);
          return waiting == count;
        }));
        EXPECT_GT(weft::statistics().stacks_in_use, count);
        {
          const std::lock_guard hold(gate);
          done = true;
        }
        told.notify_all();
        for (auto& each : crowd) each.join();
      })
      .join();
  expect_nothing_left(here);
}

// --- fork ----------------------------------------------------------------------------------------------------------------

TEST(fork, in_the_child_every_call_fails_by_name) {
  if (is_instrumented) GTEST_SKIP() << "sanitizers do not survive fork() of a program with threads";
  weft::runtime here(narrow());
  auto sleeping = here.spawn([] { weft::this_fiber::sleep_for(1h); });
  const auto refuses = [](auto call) {
    try {
      call();
    } catch (const std::system_error& error) {
      return error.code() == std::errc::operation_not_permitted && says(error.what(), "fork");
    } catch (...) {
    }
    return false;
  };
  EXPECT_EQ(exit_code_of_fork([&] { return refuses([&] { here.spawn([] {}).detach(); }) ? 0 : 1; }), 0) << "spawn";
  EXPECT_EQ(exit_code_of_fork([&] { return refuses([&] { here.spawn_detached([] {}); }) ? 0 : 1; }), 0);
  EXPECT_EQ(exit_code_of_fork([&] { return refuses([] { weft::runtime(narrow(1)); }) ? 0 : 1; }), 0) << "runtime";
  EXPECT_EQ(exit_code_of_fork([&] { return refuses([] { weft::run([] {}); }) ? 0 : 1; }), 0) << "run";
  EXPECT_EQ(exit_code_of_fork([&] { return refuses([&] { sleeping.join(); }) ? 0 : 1; }), 0) << "join";
  EXPECT_EQ(exit_code_of_fork([&] { return refuses([&] { sleeping.join(1ms); }) ? 0 : 1; }), 0) << "timed join";
  EXPECT_EQ(exit_code_of_fork([&] {
              sleeping.cancel();
              sleeping = {};
              return 0;
            }),
            0)
      << "dropping a handle";
  sleeping.cancel();
  EXPECT_THROW(sleeping.join(), weft::join_cancelled);
}

TEST(fork, leaves_the_parent_alone) {
  if (is_instrumented) GTEST_SKIP() << "sanitizers do not survive fork() of a program with threads";
  weft::runtime here(narrow());
  EXPECT_EQ(exit_code_of_fork([] { return 7; }), 7);
  EXPECT_EQ(here.spawn([] { return weft::spawn([] { return 1; }).join(); }).join(), 1);
}

TEST(fork, without_a_runtime_leaves_the_child_free_to_make_one) {
  if (is_instrumented) GTEST_SKIP() << "sanitizers do not survive fork() of a program with threads";
  EXPECT_EQ(exit_code_of_fork([] { return weft::run(narrow(1), [] { return 9; }); }), 9);
}

TEST(fork, from_a_fiber_leaves_a_child_that_can_exit) {
  if (is_instrumented) GTEST_SKIP() << "sanitizers do not survive fork() of a program with threads";
  EXPECT_EQ(weft::run(narrow(),
                      [] {
                        return exit_code_of_fork([] {
                          try {
                            weft::spawn([] {}).detach();
                          } catch (const std::system_error& error) {
                            return says(error.what(), "fork") ? 4 : 5;
                          }
                          return 6;
                        });
                      }),
            4);
}
