// What a core counts. Written by its worker, read by anyone at any time.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/statistics.h>

#include <cstdint>

namespace weft::inline v0::detail {

// A counter with one writer: no locked instruction.
class counter {
 public:
  // Release: who sees that a fiber has ended sees what it spawned. Pairs with load().
  void add(std::uint64_t n = 1) noexcept { value_.store(value_.load(relaxed) + n, release); }
  std::uint64_t load() const noexcept { return value_.load(acquire); }

 private:
  atomic<std::uint64_t> value_{0};
};

struct core_counters {
  counter spawned, started, ended, switches, steals, polls, parks, wakes;

  core_statistics snapshot(std::uint64_t forked, std::uint64_t timers_fired) const noexcept {
    return {spawned.load(), started.load(), forked,       ended.load(), switches.load(),
            steals.load(),  polls.load(),   parks.load(), wakes.load(), timers_fired};
  }
};

}  // namespace weft::inline v0::detail
