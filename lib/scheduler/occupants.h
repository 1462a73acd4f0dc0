// Which fibers stand on a stack.
#pragma once

#include "scheduler/activation.h"
#include "scheduler/fork.h"

#include <array>
#include <cstddef>

namespace weft::inline v0::detail {

struct stack_occupants {
  static constexpr std::size_t most = 16;  // Deeper nesting is not told.

  std::array<fiber_record*, most> fibers;  // The one that runs, or would run, first.
  std::size_t count = 0;
  std::size_t called = 0;  // Children of gather() that the first one calls, one within the other; they are no fibers.
};

// The only place that knows how fibers share a stack. Async-signal-safe on the thread that runs the stack; for anyone
// else a little old.
inline stack_occupants occupants_of(const activation& a) noexcept {
  stack_occupants found;
  if (fiber_record* const f = a.occupant.load(relaxed)) found.fibers[found.count++] = f;
  found.called = called_children::count(a);
  return found;
}

}  // namespace weft::inline v0::detail
