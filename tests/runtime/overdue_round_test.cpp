// A round that lasts too long is ended by the monitor, at any moment. Here by a thread that does it all the time.
#include "scheduler/scheduler.h"
#include "scheduler/scheduler_of.h"
#include "support/waiting.h"
#include "support/with_cores.h"

#include <weft/weft.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace std::chrono_literals;

namespace {

void end_rounds_until(const std::atomic<bool>& enough, weft::detail::scheduler& s) {
  while (!enough.load(std::memory_order_relaxed)) {
    for (auto& each : s.cores) each->is_overdue.store(true, std::memory_order_relaxed);
    for (int i = 0; i < 20; ++i) weft::detail::spin_pause();
  }
}

void spawn_and_join(std::size_t rounds, std::atomic<std::size_t>& made) {
  for (; made < rounds; ++made) {
    weft::with_scope([](weft::scope& crew) {
      for (int child = 0; child < 20; ++child) crew.spawn([] { weft::this_fiber::yield(); });
    });
  }
}

}  // namespace

TEST(overdue_round, hides_no_work_from_its_core) {
  for (const std::size_t cores : {1, 2}) {
    weft::options wanted;
    wanted.cores = cores;
    wanted.spin = 2us;  // Looking on longer, a core begins a new round now and then, and stumbles over its work.
    weft::runtime here(wanted);
    std::atomic<bool> enough{false};
    std::thread hurry([&] { end_rounds_until(enough, weft::detail::scheduler_of(here)); });
    std::atomic<std::size_t> made{0};
    auto work = here.spawn([&] { spawn_and_join(weft_test::repeated(20'000, 2'000), made); });
    bool goes_on = true;
    while (goes_on && !work.done()) {
      goes_on = weft_test::eventually([&, before = made.load()] { return work.done() || made != before; });
    }
    enough = true;
    hurry.join();
    if (!goes_on) {
      std::fputs("a core does not see its own work; it would never stop\n", stderr);
      std::abort();
    }
    work.join();
  }
}

// A fiber that has computed for long is about to do so again; what came meanwhile goes first.
TEST(overdue_round, lets_events_go_first) {
  for (const weft::migration how : {weft::migration::at_start, weft::migration::free}) {
    weft::options wanted;
    wanted.cores = 1;
    wanted.migration = how;
    wanted.reactor = weft::reactor_mode::inlined;  // No other thread has taken the event, and not yet told.
    weft::runtime here(wanted);
    here.spawn([&] {
          int ends[2];
          ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
          bool was_told = false;
          auto reader = weft_test::begin_here([&] {
            weft::watched_descriptor input(ends[0]);
            input.wait_readable();
            was_told = true;
          });
          ASSERT_EQ(::write(ends[1], "x", 1), 1);
          weft::detail::scheduler_of(here).cores[0]->is_overdue.store(true, std::memory_order_relaxed);
          weft::this_fiber::yield();
          EXPECT_TRUE(was_told);
          reader.join();
          ::close(ends[0]);
          ::close(ends[1]);
        })
        .join();
  }
}
