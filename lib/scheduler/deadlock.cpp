// Certainty. In a runtime that belongs to run() its maker waits, so that a fiber can be woken only by another fiber, by a
// timer or a descriptor of a core, by work that was injected, or by a thread that weft did not start. Threads of weft
// wake fibers on behalf of those alone; so a process with no other thread than the maker, no armed timer, no registered
// descriptor and no other runtime has nothing that could ever wake a fiber.
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

bool every_fiber_waits(scheduler& s) {
  std::size_t waiting = 0;
  std::size_t others = 0;
  s.for_each_fiber([&](fiber_record& f) {
    const activation* const a = f.on_stack.load(acquire);  // Pairs with move_in().
    const bool waits = a != nullptr && a->run.load(relaxed) == run_state::suspended;
    ++(waits ? waiting : others);
  });
  return waiting != 0 && others == 0 && waiting == s.live_fibers();
}

bool has_outside(const scheduler& s) noexcept {
  return !s.belongs_to_run.load(relaxed) || alive_schedulers() != 1 || process_threads() != native_threads() + 1;
}

std::string text_of(scheduler& s) {
  runtime_dump all = take_dump(s, with_backtraces::yes);
  const std::size_t left_out = all.fibers.size() - std::min(all.fibers.size(), most_told);
  if (left_out != 0) all.fibers.resize(most_told);
  return all.text() + (left_out != 0 ? "  and " + std::to_string(left_out) + " more\n" : std::string());
}

}  // namespace

standstill standstill_of(scheduler& s) noexcept {
  if (s.is_draining() || s.is_stopping() || s.sees_open_work()) return standstill::none;
  for (const auto& c : s.cores) {
    if (!c->clockwork.is_idle() || (c->events != nullptr && c->events->has_descriptors())) return standstill::none;
  }
  try {
    if (!every_fiber_waits(s)) return standstill::none;
  } catch (const std::bad_alloc&) {
    return standstill::none;
  }
  return has_outside(s) ? standstill::quiescent : standstill::deadlock;
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
