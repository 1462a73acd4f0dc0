// What is said when nothing can run any more.
#pragma once

#include <cstdint>

namespace weft::inline v0::detail {

class scheduler;

// How a runtime stands whose cores are all parked.
enum class standstill : std::uint8_t {
  none,       // Something will go on by itself, or no fiber is left.
  quiescent,  // Every fiber waits; only something outside of the runtime could wake one.
  deadlock,   // And there is nothing outside.
};

// Requires: every core has been parked for a while. A deadlock is certain, but not every one is found: where the last thread
// outside ends later, and wakes nobody, nothing tells the monitor to look again.
standstill standstill_of(scheduler& s) noexcept;

// Every fiber, what it waits for, and the rings, through the sink of the options. A deadlock ends the process if the
// options ask for that.
void report_standstill(scheduler& s, standstill what) noexcept;

}  // namespace weft::inline v0::detail
