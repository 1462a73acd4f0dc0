// Certainty. In a runtime that belongs to run() its maker waits, so that a fiber can be woken only by another fiber, by a
// timer or a descriptor of a core, by work that was injected, or by a thread that weft did not start. Threads of weft
// wake fibers on behalf of those alone; so a process with no other thread than the maker, no armed timer, no registered
// descriptor and no other runtime has nothing that could ever wake a fiber.
// Facts are read one after the other, and count only together. So what may wake is looked at before what waits, and all
// workers must have slept from before the first look at fibers until after the last: a thread that has ended, and a timer
// that is not armed any more, have claimed the waits that they end, and a claimed wait is no wait here. Without them, only
// fibers make threads and arm timers.
#include "scheduler/deadlock.h"

#include "scheduler/alive_schedulers.h"
#include "scheduler/fiber_snapshot.h"
#include "scheduler/scheduler.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace weft::inline v0::detail {

namespace {

constexpr std::size_t most_told = 100;

// Whether nothing is under way in the runtime, and nothing of its own will wake a fiber.
bool is_at_rest(const scheduler& s) noexcept {
  if (s.is_draining() || s.is_stopping() || s.sees_open_work()) return false;
  return std::all_of(s.cores.begin(), s.cores.end(), [](const auto& c) {
    return c->is_asleep() && c->clockwork.is_done() && (c->events == nullptr || !c->events->has_descriptors());
  });
}

// Grows with all that workers and timers do.
std::uint64_t movement(const scheduler& s) noexcept {
  std::uint64_t sum = 0;
  for (const auto& c : s.cores) sum += c->rounds.load(relaxed) + c->clockwork.fired();
  return sum;
}

struct census {
  bool all_wait = false;
  bool main_waits = false;  // And so the maker waits for it, or is about to.
};

census look_at_fibers(scheduler& s) {
  std::size_t waiting = 0;
  std::size_t others = 0;
  census result;
  s.for_each_fiber([&](fiber_record& f) {
    const activation* const a = f.on_stack.load(acquire);  // Pairs with move_in().
    const bool waits =
        a != nullptr && a->run.load(relaxed) == run_state::suspended && (a->word.load() & wait_word::waiting_bit) != 0;
    ++(waits ? waiting : others);
    if (waits && f.id.load(relaxed) == scheduler::first_outside_id) result.main_waits = true;
  });
  result.all_wait = waiting != 0 && others == 0 && waiting == s.live_fibers();
  return result;
}

// A thread of weft counts as one of the process before it counts as weft's, and longer.
bool has_outside(const scheduler& s) noexcept {
  const std::size_t of_weft = native_threads();
  const std::size_t all = process_threads();
  return all != of_weft + 1 || native_threads() != of_weft || alive_schedulers() != 1 ||
         !s.belongs_to_run.load(relaxed);
}

std::string text_of(scheduler& s) {
  runtime_dump all = take_dump(s, with_backtraces::yes);
  const std::size_t left_out = all.fibers.size() - std::min(all.fibers.size(), most_told);
  if (left_out != 0) all.fibers.resize(most_told);
  return all.text() + (left_out != 0 ? "  and " + std::to_string(left_out) + " more\n" : std::string());
}

}  // namespace

standstill standstill_of(scheduler& s) noexcept {
  if (!is_at_rest(s)) return standstill::none;  // Before has_outside(), which asks the kernel.
  const bool is_alone = !has_outside(s);
  const std::uint64_t moved = movement(s);
  if (!is_at_rest(s)) return standstill::none;
  census fibers;
  try {
    fibers = look_at_fibers(s);
  } catch (const std::bad_alloc&) {
    return standstill::none;
  }
  // Pairs with the releases by which fibers publish what was seen of them: what a worker did before that is seen below.
  full_fence();
  if (!fibers.all_wait || !is_at_rest(s) || movement(s) != moved) return standstill::none;
  return is_alone && fibers.main_waits ? standstill::deadlock : standstill::quiescent;
}

void report_standstill(scheduler& s, standstill what) noexcept {
  const bool is_certain = what == standstill::deadlock;
  const char* const first = is_certain ? "weft: deadlock: nothing can run, and nothing outside can wake a fiber\n"
                                       : "weft: no fiber can run until something outside wakes one\n";
  try {
    s.report(first + text_of(s));
  } catch (const std::bad_alloc&) {
    s.report(first);
  }
  if (is_certain && s.wanted.abort_on_deadlock) std::abort();
}

}  // namespace weft::inline v0::detail
