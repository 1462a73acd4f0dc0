// Runtimes: how they are asked for, and how several live side by side.
#include "support/runtime_checks.h"

#include <csignal>
#include <limits>

using namespace weft_test;

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
  const std::string watchdog = refusal_with([](weft::options& o) { o.watchdog = -1ms; });
  EXPECT_TRUE(says(watchdog, "watchdog = -1000000 ns")) << watchdog;
}

TEST(options, refuse_a_dump_signal_that_cannot_be_one) {
  for (const int number : {-1, 65, 70, 10'000, 32, SIGKILL, SIGSTOP, SIGURG, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
                           SIGABRT, SIGSYS, SIGPROF}) {
    const std::string refusal = refusal_with([&](weft::options& o) { o.dump_signal = number; });
    EXPECT_TRUE(says(refusal, "dump_signal = " + std::to_string(number) + ":")) << number << ": " << refusal;
  }
  for (const int number : {SIGUSR1, SIGQUIT, SIGRTMIN, SIGRTMAX}) {
    weft::options wanted = narrow();
    wanted.dump_signal = number;
    EXPECT_EQ(weft::run(wanted, [] { return 1; }), 1) << number;
  }
}

TEST(options, refused_leave_nothing_behind) {
  const footprint before = footprint::now();
  refusal_with([](weft::options& o) { o.topology = "nonsense"; });
  refusal_with([](weft::options& o) { o.cores = 0; });
  EXPECT_TRUE(eventually([&] { return footprint::now().holds_no_more_than(before); })) << footprint::now();
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

TEST(options, allow_any_number_of_stacks) {
  weft::options wanted = narrow();
  wanted.max_stacks = std::numeric_limits<std::size_t>::max();
  weft::run(wanted, [] {
    weft::event go;
    std::vector<weft::fiber<void>> crowd;
    for (int i = 0; i < 100; ++i) crowd.push_back(weft::spawn([&] { go.wait(); }));
    weft::this_fiber::yield();
    go.set();
    for (auto& each : crowd) each.join();
  });
}

// --- Where calls may be made ---------------------------------------------------------------------------------------------

TEST(outside, calls_for_fibers_are_refused_by_name) {
  const auto not_permitted = std::make_error_code(std::errc::operation_not_permitted);
  EXPECT_EQ(code_of([] { weft::spawn([] {}).join(); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::spawn({.name = "n"}, [] {}).join(); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::spawn_detached([] {}); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::this_fiber::core(); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::statistics(); }), not_permitted);
  EXPECT_EQ(code_of([] { weft::dump(); }), not_permitted);
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

TEST(run, returns_references_and_constants_as_they_are) {
  int target = 0;
  EXPECT_EQ(&weft::run([&]() -> int& { return target; }), &target);
  const auto constant = []() -> const std::string { return std::string(40, 'x'); };
  EXPECT_EQ(weft::run(constant), std::string(40, 'x'));
  EXPECT_EQ(std::get<0>(weft::run([&] { return weft::gather(constant); })), std::string(40, 'x'));
}

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
        for (int i = 0; i < 100; ++i) crew.push_back(weft::spawn([] { weft::this_fiber::sleep_for(1ms); }));
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

TEST(lost_error, names_the_place_of_a_spawn_with_arguments) {
  std::string file;
  std::atomic<std::uint_least32_t> line{0};
  weft::options wanted = narrow(1);
  wanted.on_lost_error = [&](const weft::lost_error& error) {
    file = error.file;
    line = error.line;
  };
  const auto fails = [](int, const std::string& why) { throw std::domain_error(why); };
  weft::run(wanted, [&] {
    weft::spawn_detached(fails, 1, "lost");
    EXPECT_TRUE(yield_until([&] { return line != 0; }));
  });
  EXPECT_TRUE(says(file, "runtime_test.cpp")) << file;
  EXPECT_EQ(line, static_cast<std::uint_least32_t>(__LINE__ - 4));
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

// The report is not lost with the handler that should have taken it.
TEST(lost_error, is_written_where_the_handler_of_reports_throws) {
  weft::options wanted = narrow(1);
  wanted.on_report = [](std::string_view) { throw std::runtime_error("of the handler"); };
  testing::internal::CaptureStderr();
  weft::run(wanted, [] {
    weft::spawn({.name = "forlorn"}, [] { throw std::runtime_error("the reason"); }).detach();
    yield_until([] { return weft::statistics().live_fibers == 1; });
  });
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(says(written, "forlorn") && says(written, "the reason")) << written;
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
