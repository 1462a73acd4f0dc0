#include "scheduler/monitor.h"

#include "platform/clock.h"
#include "platform/futex.h"
#include "scheduler/scheduler.h"

namespace weft::inline v0::detail {

namespace {
constexpr std::int64_t tick = 1'000'000;
constexpr int ticks_until_sleep = 50;
constexpr std::size_t pooled_while_idle = 256;  // Warm stacks left in the depot when all cores have parked.
}  // namespace

monitor::monitor(scheduler& s)
    : scheduler_(s), seen_rounds_(s.cores.size(), 0), thread_("weft-monitor", [this] { run(); }) {}

monitor::~monitor() {
  stop_.store(1, seq_cst);
  futex_wake(stop_, 1);
  wake();
  thread_.join();
}

void monitor::wake() noexcept {
  full_fence();  // Pairs with run(): it sees why it is woken, or we see it asleep.
  if (asleep_.exchange(0, seq_cst) != 0) futex_wake(asleep_, 1);
}

bool monitor::all_parked() const noexcept {
  for (const auto& c : scheduler_.cores) {
    if (c->is_awake()) return false;
  }
  return true;
}

void monitor::run() noexcept {
  int idle_ticks = 0;
  while (stop_.load(acquire) == 0) {
    if (!all_parked()) {
      idle_ticks = 0;
      look();
    } else if (++idle_ticks >= ticks_until_sleep) {
      idle_ticks = 0;
      scheduler_.stacks.trim(pooled_while_idle);
      asleep_.store(1, relaxed);
      full_fence();  // Pairs with core_awake().
      while (all_parked() && stop_.load(relaxed) == 0 && asleep_.load(relaxed) != 0) futex_wait(asleep_, 1, never);
      asleep_.store(0, relaxed);
    }
    futex_wait(stop_, 0, deadline_after(tick));
  }
}

void monitor::look() noexcept {
  for (std::size_t i = 0; i < scheduler_.cores.size(); ++i) {
    core& c = *scheduler_.cores[i];
    const std::uint32_t rounds = c.rounds.load(relaxed);  // A stale count only delays the stand-in by a tick.
    if (rounds == seen_rounds_[i] && c.is_awake()) {
      if (c.events != nullptr) c.events->stand_in();
      if (c.is_stranded()) {
        c.allow_rescue();
        scheduler_.wake_one();
      }
    }
    seen_rounds_[i] = rounds;
  }
}

}  // namespace weft::inline v0::detail
