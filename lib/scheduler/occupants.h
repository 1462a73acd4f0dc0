// Which fibers stand on a stack: its occupant, and those that are called there.
#pragma once

#include "scheduler/activation.h"

#include <array>
#include <cstddef>

namespace weft::inline v0::detail {

struct stack_occupants {
  static constexpr std::size_t most = 16;  // Deeper nesting is not told.

  std::array<fiber_record*, most> fibers{};  // The one that runs, or would run, first; the next ones wait for it.
  std::size_t count = 0;
  std::size_t called = 0;  // Children of gather() that the first one calls, one within the other; they have no records.

  // The only place that knows how fibers share a stack. Async-signal-safe. Where the stack goes on meanwhile the answer
  // means nothing, and no fiber in it may be looked at.
  static stack_occupants of(const activation& a) noexcept;
};

}  // namespace weft::inline v0::detail
