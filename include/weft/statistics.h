// What a runtime can tell of its cores: plain counts since it started.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::inline v0 {

// The counts of one core. They are taken one after the other while the core goes on: sums may be off by what happened
// in between.
struct core_statistics {
  std::uint64_t spawned = 0;  // Fibers spawned by code on this core.
  std::uint64_t started = 0;  // Fibers that ran their first instruction here.
  std::uint64_t forked =
      0;  // Children of gather(). Those that were not called on their parents' stacks are spawned, too.
  std::uint64_t ended = 0;     // Fibers that ended here.
  std::uint64_t switches = 0;  // Switches from one stack to another.
  std::uint64_t steals = 0;    // Times this core took work from another one.
  std::uint64_t polls = 0;     // Looks at the poller.
  std::uint64_t parks = 0;     // Times the worker went to sleep.
  std::uint64_t wakes = 0;     // Parked cores that this core woke.
  std::uint64_t timers_fired = 0;
};

struct runtime_statistics {
  std::vector<core_statistics> cores;
  std::uint64_t spawned_outside = 0;  // By threads that are not workers of this runtime.
  std::uint64_t live_fibers = 0;      // Spawned and not ended.
  std::size_t stacks_in_use = 0;
  std::size_t stacks_pooled = 0;
  std::size_t descriptors = 0;  // Registered with the reactors.
};

}  // namespace weft::inline v0
