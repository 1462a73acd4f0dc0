// Waiting until all of a changing number of things are done.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/countdown.h>

#include <cstddef>

namespace weft::inline v0 {

// As Go's sync.WaitGroup: a count that goes up and down, and may be used again once it was zero.
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks. Call add() before what it counts is started: a wait() that comes earlier sees zero.
// Lifetime: may be destroyed the instant a wait has returned, if the others were woken with it or have returned.
//   Destroying it while it is waited for ends the program with a message.
class wait_group {
 public:
  explicit wait_group(std::size_t count = 0) : left_(count, "weft::wait_group") {}

  // Throws: std::system_error (value_too_large) where the count would not fit.
  void add(std::size_t n = 1) { left_.add(n); }

  // Throws: std::system_error (invalid_argument) where the count would become negative; then nothing has changed.
  // Ordering: what was done before is visible to who gets through.
  // Blocks: never.
  void done(std::size_t n = 1) { left_.subtract(n); }

  std::size_t count() const noexcept { return left_.count(); }

  // Returns once the count is zero. Who waits at that moment goes on even if the count goes up again at once.
  // Cancel: throws weft::cancelled if it would have to wait.
  void wait() { left_.wait(detail::never); }

  // As wait(), but false at the deadline.
  bool wait_until(deadline moment) { return left_.wait(moment.nanoseconds()); }
  bool wait_for(deadline moment) { return wait_until(moment); }

 private:
  detail::countdown left_;
};

}  // namespace weft::inline v0
