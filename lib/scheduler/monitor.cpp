#include "scheduler/monitor.h"

#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/thread.h"
#include "scheduler/deadlock.h"
#include "scheduler/fiber_snapshot.h"
#include "scheduler/scheduler.h"

#include <algorithm>

namespace weft::inline v0::detail {

namespace {
constexpr std::int64_t tick = 1'000'000;
constexpr int ticks_until_sleep = 50;
constexpr std::size_t pooled_while_idle =
    256;  // Warm stacks left in the depot once all cores have been parked for long.
constexpr std::int64_t idle_until_trim =
    1'000'000'000;  // Sooner, and a program that pauses would pay for its pages again.

void report_dump(scheduler& s) noexcept {
  try {
    s.report(take_dump(s, with_backtraces::yes).text());
  } catch (const std::bad_alloc&) {
    s.report("weft: no memory for a dump\n");
  }
}
}  // namespace

monitor::monitor(scheduler& s)
    : scheduler_(s),
      seen_rounds_(s.cores.size(), 0),
      watchdog_(s),
      on_signal_(*this, s.wanted.dump_signal),
      thread_("weft-monitor", [this, is_made_by_worker = here() != nullptr] {
        if (is_made_by_worker) unpin_this_thread();
        run();
      }) {}

monitor::~monitor() {
  stop_.store(1, seq_cst);
  futex_wake(stop_, 1);
  wake();
  thread_.join();
}

void monitor::ask_for_dump() noexcept {
  dump_asked_.store(true, relaxed);
  wake();
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
    const std::int64_t now = monotonic_now();
    stamp_clocks(now);
    if (dump_asked_.exchange(false, relaxed)) report_dump(scheduler_);
    if (!all_parked()) {
      idle_ticks = 0;
      standstill_is_told_ = false;
      look();
      watchdog_.look(now);
    } else if (++idle_ticks >= ticks_until_sleep) {
      idle_ticks = 0;
      sleep(tell_standstill());
    }
    futex_wait(stop_, 0, deadline_after(tick));
  }
}

void monitor::stamp_clocks(std::int64_t now) noexcept {
  for (const auto& c : scheduler_.cores) c->coarse_now.store(now, relaxed);
}

// Returns when it has to be looked at again, if nothing moves until then; `never` for not at all.
std::int64_t monitor::tell_standstill() noexcept {
  const std::int64_t patience = scheduler_.wanted.quiescence_report.count();
  if (standstill_is_told_ || (!scheduler_.wanted.deadlock_report && patience <= 0)) return never;
  const standstill found = standstill_of(scheduler_);
  if (found == standstill::deadlock && scheduler_.wanted.deadlock_report) {
    standstill_is_told_ = true;
    report_standstill(scheduler_, found);
  } else if (found == standstill::quiescent && patience > 0) {
    return deadline_after(patience);
  }
  return never;
}

void monitor::sleep(std::int64_t quiescent_at) noexcept {
  const bool is_trim_wanted = scheduler_.stacks.statistics().depot > pooled_while_idle;
  std::int64_t trim_at = is_trim_wanted ? deadline_after(idle_until_trim) : never;
  asleep_.store(1, relaxed);
  full_fence();  // Pairs with core_awake().
  while (all_parked() && stop_.load(relaxed) == 0 && asleep_.load(relaxed) != 0 && !dump_asked_.load(relaxed)) {
    const std::int64_t next = std::min(quiescent_at, trim_at);
    futex_wait(asleep_, 1, next);
    if (next == never || asleep_.load(relaxed) == 0 || !all_parked()) continue;
    const std::int64_t now = monotonic_now();
    if (now >= trim_at) {
      trim_at = never;
      scheduler_.stacks.trim(pooled_while_idle);
    }
    if (now < quiescent_at) continue;
    quiescent_at = never;
    standstill_is_told_ = true;
    const standstill found = standstill_of(scheduler_);
    if (found != standstill::none) report_standstill(scheduler_, found);
  }
  asleep_.store(0, relaxed);
}

void monitor::look() noexcept {
  for (std::size_t i = 0; i < scheduler_.cores.size(); ++i) {
    core& c = *scheduler_.cores[i];
    const std::uint32_t rounds = c.rounds.load(relaxed);  // A stale count only delays the stand-in by a tick.
    if (rounds == seen_rounds_[i] && c.is_awake()) {
      c.is_overdue.store(true, relaxed);
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
