#include "scheduler/scheduler.h"

#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/system_calls.h"
#include "scheduler/cancellation.h"
#include "scheduler/fiber_report.h"
#include "scheduler/foreign_handlers.h"
#include "scheduler/monitor.h"
#include "scheduler/stack_marks.h"

#include <algorithm>
#include <limits>
#include <string>

namespace weft::inline v0::detail {

namespace {

constexpr std::int64_t drain_interval = 500'000;

stack_options stack_options_of(const options& wanted, std::size_t cores) {
  stack_options result;
  // The cores' reserve stacks come on top.
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  result.max_stacks = wanted.max_stacks == 0 ? 0 : wanted.max_stacks + std::min(cores, most - wanted.max_stacks);
  return result;
}

}  // namespace

scheduler::scheduler(const options& its_options, topology its_seats)
    : wanted(its_options),
      seats(std::move(its_seats)),
      unfinished(new record_memory(*this, seats.size())),
      records(*unfinished),
      stacks({sizeof(activation), &make_activation, &last_epoch_of}, stack_options_of(wanted, seats.size())),
      idle(seats.size()),
      marks(wanted.stack_marks ? std::make_unique<stack_marks>() : nullptr),
      overflows_(wanted.overflow_report) {
  usual_traits.size_class = static_cast<std::uint8_t>(stack_class_for(wanted.stack_bytes));
  usual_traits.migration = wanted.migration;
  if (wanted.stack_marks) usual_traits.care.bits |= fiber_care::measure_stack;
  cores.reserve(seats.size());
  for (std::size_t i = 0; i < seats.size(); ++i) {
    cores.push_back(std::make_unique<core>(*this, i));
    for (const std::size_t other : seats.neighbours(i)) cores[i]->nearest.push_back(static_cast<std::uint16_t>(other));
    all_cores_.push_back(static_cast<std::uint16_t>(i));
  }
  static_cast<void>(unfinished.release());
}

scheduler::~scheduler() {
  records.close();
  cores.clear();
  std::int64_t left = 0;
  records.for_each_block([&left](void* block, std::size_t) {
    if (static_cast<fiber_record*>(block)->life.load(acquire) == fiber_life::ended) ++left;  // Pairs with free_ended().
  });
  records.leave_to_strangers(left);
}

void scheduler::start(const std::function<void(core&)>& prepare) {
  if (wanted.signal_report) report_foreign_handlers(*this);
  for (const auto& c : cores) c->fill_reserve();
  monitor_ = std::make_unique<monitor>(*this);  // Before the workers, which tell it when they wake.
  for (const auto& c : cores) {
    workers_.emplace_back("weft-" + std::to_string(c->index), [&worker = *c, prepare] {
      prepare(worker);
      worker.run_worker();
    });
  }
}

void scheduler::stop() noexcept {
  stopping_.store(true, seq_cst);
  for (const auto& c : cores) c->kick();
  for (native_thread& w : workers_) w.join();
  workers_.clear();
  monitor_.reset();
  while (visitors_.load(acquire) != 0) yield_thread();  // Pairs with ~visit().
  records.close();
}

void scheduler::tell_monitor_awake() noexcept { monitor_->core_awake(); }

bool scheduler::drain(std::int64_t deadline) noexcept {
  draining_.store(true, seq_cst);
  const atomic<std::uint32_t> nobody_wakes{0};
  for (;;) {
    for_each_fiber([](fiber_record& f) { request_cancel(f, cancel_reason::shutdown); });
    if (!is_anything_left()) return true;
    const std::int64_t next_look = deadline_after(drain_interval);
    if (deadline != never && next_look >= deadline && monotonic_now() >= deadline) return false;
    futex_wait(nobody_wakes, 0, next_look);
  }
}

void scheduler::wake_one() noexcept {
  const std::size_t sleeper = idle.core_to_wake(all_cores_);
  if (sleeper != idle_cores::nobody) cores[sleeper]->kick();
}

bool scheduler::sees_open_work() const noexcept {
  if (injected.maybe_nonempty()) return true;
  return std::any_of(cores.begin(), cores.end(), [](const auto& c) { return c->has_open_work(); });
}

void scheduler::inject(fiber_record& f) {
  injected.push(&f);
  wake_one();
}

// Without references: a block stays readable for good, and what was true of a fiber a moment ago may now be true of
// another one in its place.
void scheduler::for_each_fiber(const std::function<void(fiber_record&)>& see) {
  records.for_each_block([&see](void* block, std::size_t) {
    auto& f = *static_cast<fiber_record*>(block);
    const fiber_life life = f.life.load(acquire);  // Pairs with launch().
    if (life == fiber_life::fresh || life == fiber_life::started) see(f);
  });
}

std::uint64_t scheduler::live_fibers() const noexcept {
  std::uint64_t ended = 0;
  for (const auto& c : cores) ended += c->counters.ended.load();
  full_fence();  // What had ended by then was spawned before: the difference is never too small.
  std::uint64_t spawned = spawned_outside.load(relaxed);
  for (const auto& c : cores) spawned += c->counters.spawned.load();
  return spawned - ended;
}

// One sum, taken in the order of live_fibers(): a callback that has returned may have spawned, and a fiber that has
// ended may have left callbacks.
bool scheduler::is_anything_left() const noexcept {
  const std::uint64_t returned = callbacks_returned_.load(acquire);  // Pairs with callback_returned().
  const std::uint64_t live = live_fibers();
  return live != 0 || callbacks_registered_.load(relaxed) != returned;
}

void scheduler::report(std::string_view text) noexcept {
  try {
    if (wanted.on_report) {
      wanted.on_report(text);
      return;
    }
  } catch (...) {
  }
  sys().write(2, text.data(), text.size());
}

void scheduler::report_lost_error(const fiber_record& f, const std::exception_ptr& error) noexcept {
  try {
    const lost_error lost{error, f.name(), f.id.load(relaxed), f.site.load().file_name(), f.site.load().line()};
    if (wanted.on_lost_error) {
      wanted.on_lost_error(lost);
      return;
    }
    std::string text = "weft: nobody joins fiber " + std::to_string(f.id.load(relaxed));
    if (!f.name().empty()) text += " \"" + std::string(f.name()) + "\"";
    text += ", " + origin_text(lost.file, lost.line) + ", which ended with ";
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      text += std::string("the exception: ") + e.what();
    } catch (...) {
      text += "an exception that is no std::exception";
    }
    report(text + "\n");
  } catch (...) {
    report("weft: a fiber that nobody joins ended with an error, and so did the attempt to report it\n");
  }
}

}  // namespace weft::inline v0::detail
