// Where a fiber that was made ready goes.
#pragma once

namespace weft::inline v0::detail {

struct activation;

// Any thread. `a` is ready, off its stack and in no queue. A bound fiber goes to its core; a migrating one
// stays with the core that made it ready, or goes back to where it ran where that was no core of its runtime.
void enqueue(activation& a) noexcept;

}  // namespace weft::inline v0::detail
