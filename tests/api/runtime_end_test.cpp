// What becomes of fibers at the end of their runtime, at its limits, and in a fork of its process.
#include "support/runtime_checks.h"

using namespace weft_test;

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
      EXPECT_TRUE(eventually([&] { return footprint::now().holds_no_more_than(before); }))
          << footprint::now() << " from " << before;
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
  std::atomic<bool> started{false};
  std::function<void()> breed = [&] {
    struct breeding {
      std::function<void()>& next;
      std::atomic<int>& generations;
      ~breeding() {
        if (++generations < 20) weft::spawn_detached(next);
      }
    };
    const breeding at_end{breed, generations};
    started = true;
    weft::this_fiber::sleep_for(1h);
  };
  {
    weft::runtime here(narrow());
    here.spawn_detached(std::ref(breed));
    ASSERT_TRUE(eventually([&] { return started.load(); }));
  }
  EXPECT_EQ(generations, 1) << "what was spawned at the end was not born cancelled";
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
  EXPECT_TRUE(eventually([&] { return footprint::now().holds_no_more_than(before); }))
      << footprint::now() << " from " << before;
  // The allocator may keep an arena for a thread or two more.
  if (!is_instrumented) {
    EXPECT_LE(mappings(), maps + 20);
  }
}

TEST(end, by_a_fiber_of_its_own_stops_the_program_with_a_message) {
  const auto saw_off_the_branch = [] {
    auto here = std::make_unique<weft::runtime>(narrow(1));
    here->spawn([&] { here.reset(); }).join();
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(saw_off_the_branch(), "weft::~runtime: a fiber destroys the runtime that it runs in");
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
      std::ptrdiff_t waiting = 0;
      std::vector<weft::fiber<int>> crowd;
      for (int i = 0; i < 400; ++i) {
        crowd.push_back(weft::spawn([&, i] {
          std::unique_lock lock(gate);
          ++waiting;
          told.wait(lock, [&] { return done; });
          return i;
        }));
      }
      std::size_t refused = 0;
      ASSERT_TRUE(yield_until([&] {
        const std::lock_guard hold(gate);
        return waiting + std::count_if(crowd.begin(), crowd.end(), [](auto& each) { return each.done(); }) == 400;
      }));
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

// Nobody holds a handle, so that the fiber destroys its result itself; whoever waits there holds the runtime up.
TEST(end, waits_for_results_that_wait_at_their_end) {
  struct waits_at_end {
    explicit waits_at_end(std::atomic<bool>& g) : gone(&g) {}
    waits_at_end(waits_at_end&& other) noexcept : gone(std::exchange(other.gone, nullptr)) {}
    ~waits_at_end() {
      if (gone == nullptr) return;
      for (int i = 0; i < 20; ++i) weft::this_fiber::sleep_for(10us);
      *gone = true;
    }
    std::atomic<bool>* gone;
  };
  for (const std::size_t cores : {1, 2}) {
    for (int round = 0; round < 20; ++round) {
      std::atomic<bool> began{false}, gone{false};
      {
        weft::runtime here(narrow(cores));
        here.spawn_detached([&] {
          began = true;
          return waits_at_end(gone);
        });
        ASSERT_TRUE(eventually([&] { return began.load(); }));
      }
      EXPECT_TRUE(gone);
    }
  }
}

// They end on the one stack that their core keeps for them, and it has to come back to that core.
TEST(limits, closures_of_fibers_that_get_no_stack_may_wait_at_their_end) {
  struct waits_at_end {
    explicit waits_at_end(weft::event& g, std::atomic<int>& n) : go(&g), waiting(&n) {}
    waits_at_end(waits_at_end&& other) noexcept : go(std::exchange(other.go, nullptr)), waiting(other.waiting) {}
    ~waits_at_end() {
      if (go == nullptr) return;
      ++*waiting;
      go->wait();
    }
    weft::event* go;
    std::atomic<int>* waiting;
  };
  for (std::size_t round = 0; round < repeated(20, 5); ++round) {
    weft::options wanted = narrow(2);
    wanted.migration = weft::migration::free;
    wanted.max_stacks = 20;
    weft::run(wanted, [] {
      weft::event go, holders_may_end;
      std::atomic<int> waiting{0};
      std::vector<weft::fiber<void>> crowd;
      for (int i = 0; i < 200; ++i) {
        crowd.push_back(
            weft::spawn([&holders_may_end, at_end = waits_at_end(go, waiting)] { holders_may_end.wait(); }));
      }
      ASSERT_TRUE(yield_until([&] { return waiting != 0; }));
      go.set();
      holders_may_end.set();
      for (auto& each : crowd) {
        try {
          EXPECT_TRUE(each.join(30s)) << "it waits for a stack that is not coming back";
        } catch (const std::system_error& error) {
          EXPECT_EQ(error.code(), std::errc::not_enough_memory) << error.what();
        }
      }
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
