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
  // The worker polls in passing and sleeps in the poller; a thread of its own stands in while it is stuck.
  adaptive,
  // The reactor thread always leads: events are taken while fibers compute, at the price of a wake-up each.
  dedicated,
  // Only the worker polls: no reactor threads; a fiber that computes for long delays the core's events.
  inlined,
};

// What the workers are pinned to.
enum class pinning : std::uint8_t { core, node, none };

// An error out of a fiber that nobody will join.
struct lost_error {
  std::exception_ptr error;
  std::string_view fiber_name;
  std::uint64_t fiber_id;
  std::string_view file;  // Where it was spawned.
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

  // Usable bytes of a fiber's stack unless its attributes say otherwise.
  std::size_t stack_bytes = std::size_t{64} << 10;

  // Stacks in use and pooled at once; 0: what the kernel allows.
  std::size_t max_stacks = 0;

  // How long an idle worker looks for work before it sleeps, at most. Unset: 20 us to start with, ten times
  // that under a hypervisor, adapted by what the looking brings. Zero: never.
  std::optional<std::chrono::nanoseconds> spin{};

  // Called on the fiber's core for an error that nobody will join. Unset: a line on the standard error stream.
  std::function<void(const lost_error&)> on_lost_error{};

  // Where reports go. Unset: the standard error stream.
  std::function<void(std::string_view)> on_report{};
};

}  // namespace weft::inline v0
