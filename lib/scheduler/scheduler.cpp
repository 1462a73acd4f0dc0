#include "scheduler/scheduler.h"

#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/system_calls.h"
#include "scheduler/cancellation.h"
#include "scheduler/monitor.h"

#include <algorithm>
#include <string>

namespace weft::inline v0::detail {

namespace {

constexpr std::int64_t drain_interval = 500'000;

stack_options stack_options_of(const options& wanted) {
  stack_options result;
  result.max_stacks = wanted.max_stacks;
  return result;
}

}  // namespace

scheduler::scheduler(const options& its_options, topology its_seats)
    : wanted(its_options),
      seats(std::move(its_seats)),
      refuge_(std::make_unique<orphanage>(std::make_unique<record_memory>(seats.size()))),
      records(refuge_->memory()),
      stacks({sizeof(activation), &make_activation, &last_epoch_of}, stack_options_of(wanted)),
      idle(seats.size()) {
  usual_traits.size_class = static_cast<std::uint8_t>(stack_class_for(wanted.stack_bytes));
  usual_traits.migration = wanted.migration;
  cores.reserve(seats.size());
  for (std::size_t i = 0; i < seats.size(); ++i) {
    cores.push_back(std::make_unique<core>(*this, i));
    for (const std::size_t other : seats.neighbours(i)) cores[i]->nearest.push_back(static_cast<std::uint16_t>(other));
    all_cores_.push_back(static_cast<std::uint16_t>(i));
  }
}

scheduler::~scheduler() {
  cores.clear();
  // Handles of ended fibers may outlive us: their records' memory dies with the last of them.
  orphanage* const refuge = refuge_.release();
  records.chunks.for_each_block([refuge](void* block, std::size_t) {
    auto& f = *static_cast<fiber_record*>(block);
    if (f.life.load(acquire) != fiber_life::ended) return;
    refuge->hold();
    // Release: publishes the orphanage to release_fiber(). A record without references is being released this
    // moment.
    f.orphaned_to.store(refuge, relaxed);
    if (f.references.fetch_or(fiber_record::orphan_bit, acq_rel) == 0) refuge->keep_for_ever();
  });
  refuge->release();
}

void scheduler::start(const std::function<void(core&)>& prepare) {
  for (const auto& c : cores) {
    workers_.emplace_back("weft-" + std::to_string(c->index), [&worker = *c, prepare] {
      prepare(worker);
      worker.run_worker();
    });
  }
  monitor_ = std::make_unique<monitor>(*this);
}

void scheduler::stop() noexcept {
  stopping_.store(true, seq_cst);
  for (const auto& c : cores) c->kick();
  for (native_thread& w : workers_) w.join();
  workers_.clear();
  monitor_.reset();
  while (visitors_.load(acquire) != 0) yield_thread();  // Pairs with ~visit().
}

void scheduler::tell_monitor_awake() noexcept {
  if (monitor_ != nullptr) monitor_->core_awake();
}

void scheduler::drain(std::int64_t patience,
                      const std::function<void(const std::vector<fiber_record*>&)>& report) noexcept {
  draining_.store(true, seq_cst);
  const atomic<std::uint32_t> nobody_wakes{0};
  std::int64_t report_at = deadline_after(patience);
  for (;;) {
    for_each_fiber([](fiber_record& f) { request_cancel(f); });
    if (live_fibers() == 0) return;
    futex_wait(nobody_wakes, 0, deadline_after(drain_interval));
    if (monotonic_now() >= report_at) {
      std::vector<fiber_record*> left;
      for_each_fiber([&left](fiber_record& f) {
        add_reference(&f);
        left.push_back(&f);
      });
      report(left);
      for (fiber_record* const f : left) release_fiber(f);
      report_at = deadline_after(patience);
    }
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

void scheduler::for_each_fiber(const std::function<void(fiber_record&)>& see) {
  records.chunks.for_each_block([&see](void* block, std::size_t) {
    auto& f = *static_cast<fiber_record*>(block);
    const fiber_life life = f.life.load(acquire);  // Pairs with launch().
    if (life != fiber_life::fresh && life != fiber_life::started) return;
    std::uint32_t held = f.references.load(relaxed);
    do {
      if (held == 0) return;
    } while (!f.references.compare_exchange_weak(held, held + 1, acq_rel, relaxed));
    // The block may have passed on to a record that is still being made: only a launched one is seen.
    if (f.life.load(acquire) == fiber_life::fresh || f.life.load(acquire) == fiber_life::started) see(f);
    release_fiber(&f);
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

std::uint64_t scheduler::new_fiber_id() noexcept {
  // Ids of cores are index + 1 + n * cores; ours lie above every one that a core can reach.
  return (std::uint64_t{1} << 62) + outside_ids_.fetch_add(1, relaxed);
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

void scheduler::report_lost_error(fiber_record& f) noexcept {
  try {
    const lost_error lost{f.error, f.name(), f.id, f.site.file_name(), f.site.line()};
    if (wanted.on_lost_error) {
      wanted.on_lost_error(lost);
      return;
    }
    std::string text = "weft: nobody joins fiber " + std::to_string(f.id);
    if (!f.name().empty()) text += " \"" + std::string(f.name()) + "\"";
    text += ", spawned at " + std::string(lost.file) + ":" + std::to_string(lost.line) + ", which ended with ";
    try {
      std::rethrow_exception(f.error);
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
