// The queue through which threads that are no workers hand work to a runtime, and the count that tells of it.
//
// Roles: any thread pushes, any worker pops.
// Invariant: count_ is the number of pushes less the number of pops, each counted after it was done in the queue
//   below.
// Protocol: that queue promises no order between threads, so a failed look into it proves nothing. Only the count
//   does.
//   push: enqueue, count up; then the caller: full fence, look for sleepers.
//   pop: see a positive count, dequeue, count down if that succeeded.
//   park: announce, full fence (both by the caller); then maybe_nonempty() reads the count.
//   The fences are ordered: the parker reads a count that includes the push, or the pusher finds the sleeper. A pop
//     may take an element before its push was counted; for that moment the count is too low, even negative, and hides
//     another element, but the push that is still to be counted looks for sleepers afterwards.
#pragma once

#include "base/cache_line.h"

#include <cstdint>
#include <memory>

#include <weft/detail/atomic.h>

namespace weft::inline v0::detail {

// A queue of non-null pointers, in order for each pushing thread only.
//
// Thread safety: all members may be called at once, by any thread.
// Ordering: what a thread did before push() is visible to whoever pops the element.
class injection {
 public:
  injection();  // Throws: std::bad_alloc.
  ~injection();
  injection(const injection&) = delete;
  injection& operator=(const injection&) = delete;

  // Throws: std::bad_alloc; then nothing has been published.
  void push(void* element);

  // Returns: an element; null when none was found, which proves nothing while maybe_nonempty() is true.
  void* try_pop() noexcept;

  // False, read after a full fence, means that each element was popped, or that a pusher has yet to pass its
  // own fence and look for sleepers.
  bool maybe_nonempty() const noexcept { return count_.load(relaxed) > 0; }

 private:
  struct storage;
  std::unique_ptr<storage> queue_;
  alignas(cache_line) atomic<std::int64_t> count_{0};
};

}  // namespace weft::inline v0::detail
