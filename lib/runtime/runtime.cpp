// The composition root: from options to running cores, and back to nothing.
#include <weft/run.h>

#include "platform/clock.h"
#include "platform/cpu_quota.h"
#include "platform/process.h"
#include "platform/shadow_stack.h"
#include "platform/shared_cpus.h"
#include "platform/thread.h"
#include "platform/topology.h"
#include "reactor/reactor.h"
#include "runtime/checked_options.h"
#include "scheduler/cancellation.h"
#include "scheduler/fiber_report.h"
#include "scheduler/fiber_snapshot.h"
#include "scheduler/scheduler.h"
#include "scheduler/scheduler_of.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace weft::inline v0 {

namespace detail {

namespace {

constexpr std::int64_t drain_patience = 3'000'000'000;
constexpr std::int64_t first_spin_bare = 20'000;
constexpr std::int64_t hypervisor_factor = 10;
constexpr std::int64_t longest_spin = 3'600'000'000'000;  // It is doubled and compared, and must not overflow.

// The CPUs that the worker of seat `i` is bound to; empty where it keeps those of the thread that makes it. That is no
// choice of anybody's where a worker of another runtime makes it.
std::vector<int> cpus_for(const topology& seats, std::size_t i, pinning how) {
  switch (how) {
    case pinning::core:
      if (seats[i].os_index < 0) return {};
      return {seats[i].os_index};
    case pinning::node:
      return seats.cpus_of_node(seats[i].node);
    case pinning::none:
      break;
  }
  return here() != nullptr ? original_affinity() : cpu_set();
}

// A pin that the system refuses costs speed, not correctness.
void settle_thread(const std::vector<int>& cpus) noexcept {
  if (!cpus.empty()) pin_this_thread(cpus);
  set_default_float_control();
}

std::vector<unfinished_fiber> list_unfinished(scheduler& s) {
  std::vector<unfinished_fiber> left;
  s.for_each_fiber([&left](fiber_record& f) {
    if (std::optional<unfinished_fiber> each = describe_fiber(f)) left.push_back(std::move(*each));
  });
  return left;
}

void report_left(scheduler& s) noexcept {
  try {
    const std::vector<unfinished_fiber> left = list_unfinished(s);
    std::string text = "weft: a runtime is being destroyed and waits for " + std::to_string(left.size()) +
                       " fiber(s) that were cancelled but go on:\n";
    constexpr std::size_t most = 10;
    for (std::size_t i = 0; i < left.size() && i < most; ++i) text += "  " + to_text(left[i]) + "\n";
    if (left.size() > most) text += "  and more\n";
    s.report(text);
  } catch (const std::bad_alloc&) {
    s.report("weft: a runtime is being destroyed and waits for fibers that were cancelled but go on\n");
  }
}

// The first switch would end the process with a SIGSEGV that nobody could explain.
void refuse_shadow_stack() {
  if (!has_shadow_stack()) return;
  throw std::system_error(
      std::make_error_code(std::errc::operation_not_supported),
      "weft::runtime: this thread has a shadow stack, which weft cannot switch; start the program with "
      "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off, or on AArch64 with GLIBC_TUNABLES=glibc.cpu.aarch64_gcs=0");
}

}  // namespace

}  // namespace detail

struct runtime::parts {
  struct fork_watch {
    fork_watch() {
      detail::watch_fork();
      detail::register_fork_child([] { detail::set_here_word(0); });
    }
    ~fork_watch() { detail::unwatch_fork(); }
  };

  fork_watch watched;  // First in, last out.
  detail::scheduler cores;
  detail::slot_table& slots = *new detail::slot_table(cores);
  detail::shared_cpus cpus;

  parts(const options& wanted, detail::topology seats) : cores(wanted, std::move(seats)) {}

  ~parts() { slots.abandon(); }

  detail::reactor& reactor_of(detail::core& c) { return static_cast<detail::reactor&>(*c.events); }
  void start();
};

void runtime::parts::start() {
  using namespace detail;
  for (const auto& c : cores.cores) c->events = std::make_unique<reactor>(*c, slots, cores.wanted.reactor);
  std::vector<std::vector<int>> cpus_of(cores.seats.size());
  for (std::size_t i = 0; i < cores.seats.size(); ++i) cpus_of[i] = cpus_for(cores.seats, i, cores.wanted.pin);
  for (const auto& c : cores.cores) {
    reactor_of(*c).start([mine = cpus_of[c->index]] { settle_thread(mine); });
  }
  cores.start([cpus_of](core& c) { settle_thread(cpus_of[c.index]); });
}

runtime::runtime() : runtime(options{}) {}

runtime::runtime(const options& wanted) {
  using namespace detail;
  if (forked_child()) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::runtime: this process is a fork of one that runs weft");
  }
  refuse_shadow_stack();
  report_escaped_cancellations();
  parts_ = std::make_unique<parts>(wanted, checked_topology(wanted));
  scheduler& s = parts_->cores;
  parts_->cpus.claim(s.seats);
  const std::int64_t usual = under_hypervisor() ? first_spin_bare * hypervisor_factor : first_spin_bare;
  s.longest_spin = wanted.spin ? std::min(to_delay_ns(*wanted.spin), longest_spin) : usual * hypervisor_factor;
  s.first_spin = std::min(usual, s.longest_spin);
  s.may_spin = s.longest_spin > 0 && !parts_->cpus.are_shared() && s.seats.size() <= usable_cpus();
  try {
    parts_->start();
  } catch (...) {
    s.stop();
    for (const auto& c : s.cores) c->events.reset();
    throw;
  }
}

runtime::~runtime() {
  using namespace detail;
  scheduler& s = parts_->cores;
  if (forked_child()) {
    static_cast<void>(parts_.release());  // Its threads live in the parent.
    return;
  }
  if (core* const c = here(); c != nullptr && &c->owner == &s) {
    s.report("weft::~runtime: a fiber destroys the runtime that it runs in\n");
    std::abort();
  }
  while (!s.drain(deadline_after(drain_patience))) report_left(s);
  s.stop();
  for (const auto& c : s.cores) parts_->reactor_of(*c).stop();
}

std::vector<unfinished_fiber> runtime::shutdown(deadline limit) {
  using namespace detail;
  scheduler& s = parts_->cores;
  if (core* const c = here(); c != nullptr && &c->owner == &s) {
    throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                            "weft::runtime::shutdown: called in a fiber of the runtime that it would wait for");
  }
  if (s.drain(limit.nanoseconds())) return {};
  return list_unfinished(s);
}

std::size_t runtime::cores() const noexcept { return parts_->cores.cores.size(); }

namespace detail {

namespace {
runtime_statistics statistics_of(const scheduler& s) {
  runtime_statistics result;
  for (const auto& c : s.cores) {
    result.cores.push_back(c->counters.snapshot(c->forked.load(relaxed), c->clockwork.fired()));
    result.descriptors = static_cast<reactor&>(*c->events).slots().open();
  }
  result.spawned_outside = s.spawned_outside.load(relaxed);
  result.live_fibers = s.live_fibers();
  const stack_statistics stacks = s.stacks.statistics();
  result.stacks_in_use = stacks.in_use - std::min(stacks.in_use, s.cores.size());  // Without the reserves.
  result.stacks_pooled = stacks.cached + stacks.depot;
  return result;
}
}  // namespace

scheduler& scheduler_of(runtime& r) noexcept { return r.parts_->cores; }

void belongs_to_run(runtime& r) noexcept { scheduler_of(r).belongs_to_run.store(true, relaxed); }

void refuse_run_inside_fiber() {
  if (current_fiber() == nullptr) return;
  throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                          "weft::run: called inside a fiber; spawn() and join() instead");
}

}  // namespace detail

runtime_statistics runtime::statistics() const { return detail::statistics_of(parts_->cores); }

runtime_dump runtime::dump() const { return detail::take_dump(parts_->cores, detail::with_backtraces::yes); }

std::vector<std::vector<std::uint64_t>> runtime::find_deadlocks() const {
  return detail::take_dump(parts_->cores, detail::with_backtraces::no).cycles;
}

runtime_dump dump() {
  const detail::core* const c = detail::here();
  if (c == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::dump: called outside a fiber");
  }
  return detail::take_dump(c->owner, detail::with_backtraces::yes);
}

runtime_statistics statistics() {
  const detail::core* const c = detail::here();
  if (c == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::statistics: called outside a fiber");
  }
  return detail::statistics_of(c->owner);
}

}  // namespace weft::inline v0
