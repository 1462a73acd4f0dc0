// A round that lasts too long is ended by the monitor, at any moment. Here by a thread that does it all the time.
#include "scheduler/scheduler.h"
#include "scheduler/scheduler_of.h"
#include "support/with_cores.h"

#include <weft/weft.h>

#include <gtest/gtest.h>
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

void spawn_and_join(int rounds) {
  for (int i = 0; i < rounds; ++i) {
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
    auto work = here.spawn([] { spawn_and_join(20000); });
    const bool is_done = weft_test::eventually([&] { return work.done(); });
    enough = true;
    hurry.join();
    if (!is_done) {
      std::fputs("a core does not see its own work; it would never stop\n", stderr);
      std::abort();
    }
    work.join();
  }
}
