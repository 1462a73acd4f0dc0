// How a runtime is built.
#pragma once

#include <weft/attributes.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

namespace weft::inline v0 {

// Who looks after the descriptors and timers of a core.
enum class reactor_mode : std::uint8_t {
  // The worker polls in passing and sleeps in the poller, if it has descriptors; a thread of its own stands in while it is
  // stuck.
  adaptive,
  // The reactor thread always leads: events are taken while fibers compute, at the price of a wake-up each.
  dedicated,
  // Only the worker polls: no reactor threads; a fiber that computes for long delays the core's events.
  inlined,
};

// What the workers are pinned to: one CPU each; all CPUs of a NUMA node that the process was given; or nothing, so that they
// have the CPUs of the thread that makes the runtime, and those that the process was given where a fiber makes it.
enum class pinning : std::uint8_t { core, node, none };

// An error out of a fiber that nobody will join.
struct lost_error {
  std::exception_ptr error;
  std::string_view fiber_name;
  std::uint64_t fiber_id;
  std::string_view file;  // Where it was spawned. Empty for a child of gather().
  std::uint32_t line;
};

struct options {
  static constexpr std::size_t most_cores = 1024;

  // Workers to run. Unset (0 is an error when set): one for each usable CPU, which is the least of the
  // process's CPU set and its cgroup quota, ancestors included.
  std::optional<std::size_t> cores{};

  // An hwloc synthetic description ("node:2 l3:2 core:4 pu:1") to be used instead of the machine's topology.
  // Its workers are pinned onto the real CPUs round and round.
  std::string topology{};

  pinning pin = pinning::core;
  reactor_mode reactor = reactor_mode::adaptive;
  weft::migration migration = weft::migration::at_start;

  // Bytes of a fiber's stack unless its attributes say otherwise; weft keeps up to 1.3 KiB of them.
  std::size_t stack_bytes = std::size_t{64} << 10;

  // Stacks in use and pooled at once; 0: what the kernel allows.
  std::size_t max_stacks = 0;

  // How long an idle worker looks for work before it sleeps, at most. Unset: 20 us to start with, ten times
  // that under a hypervisor, adapted by what the looking brings. Zero: never. Negative ones are refused.
  std::optional<std::chrono::nanoseconds> spin{};

  // A fiber that runs into the guard below its stack is named on the standard error stream, with its spawn site and its
  // frames, before the process dies of SIGSEGV. For that weft handles SIGSEGV and SIGBUS as long as the runtime lives;
  // handlers from before are called after it, and handlers installed later should call the one they replace.
  bool overflow_report = true;

  // Dumps tell how deep the fibers of each spawn site have come on their stacks (runtime_dump::stacks). It costs each
  // fiber some microseconds at its end.
  bool stack_marks = false;

  // A handler that was installed without SA_ONSTACK runs on the stack of whatever fiber its signal interrupts, which may
  // be small. Workers block all signals but SIGPROF and those that a thread raises by itself (SIGSEGV, SIGFPE, ...); each
  // handler of one of these is reported once, when a runtime starts, and when its watchdog finds one that is new.
  bool signal_report = true;

  // A fiber that holds its core for longer, computing or in a blocking call, is reported once, with its backtrace (where
  // its thread does not answer for 200 ms, at first without, and once more when it does); with it, fibers that wait for
  // each other in a ring. To ask a worker where it is weft then handles SIGURG, which may cut a system call short (EINTR)
  // that does not restart. Zero: never. Unset: 25 ms where weft was built with assertions and without a sanitizer, else
  // never. Negative ones are refused.
  std::optional<std::chrono::nanoseconds> watchdog{};

  // When nothing can run, and nothing outside could ever wake a fiber, say so, with every fiber and what it waits for.
  // It is certain only inside run(): no timer, no descriptor, and no thread in the process but those of weft.
  bool deadlock_report = true;
  // And then end the process by abort().
  bool abort_on_deadlock = false;

  // When nothing has run for so long, and no timer or descriptor will wake a fiber, but something outside might: one
  // report, in the words "quiescent for N s". Zero: none.
  std::chrono::nanoseconds quiescence_report{0};

  // This signal makes the runtime report a dump of its fibers; 0: none does. A handler from before is called, too.
  // Refused are SIGKILL, SIGSTOP, SIGPROF, SIGURG, and those that a thread raises by itself (SIGSEGV, SIGFPE, ...).
  int dump_signal = 0;

  // Called for an error that nobody will join, on any thread, perhaps on several at once. Unset: it becomes a report.
  std::function<void(const lost_error&)> on_lost_error{};

  // Where reports go. Unset: the standard error stream.
  std::function<void(std::string_view)> on_report{};
};

}  // namespace weft::inline v0
