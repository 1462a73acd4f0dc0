// A count that goes down to zero once, and lets through whoever waits for that.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/countdown.h>

#include <cstddef>

namespace weft::inline v0 {

// The face of std::latch, and deadlines.
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks.
// Lifetime: may be destroyed the instant a wait has returned, if the others were woken with it or have returned.
//   Destroying it while it is waited for ends the program with a message.
class latch {
 public:
  static constexpr std::size_t max() noexcept { return detail::countdown::max; }

  // Throws: std::system_error (invalid_argument) for more than max().
  explicit latch(std::size_t expected) : left_(expected, "weft::latch") {}

  // Throws: std::system_error (invalid_argument) where the count would become negative; then nothing has changed.
  // Ordering: what was done before is visible to who gets through.
  // Blocks: never.
  void count_down(std::size_t n = 1) { left_.subtract(n); }

  bool try_wait() const noexcept { return left_.is_zero(); }

  // Returns once the count is zero.
  // Cancel: throws weft::cancelled if it would have to wait.
  void wait() { left_.wait(detail::never); }

  // As wait(), but false at the deadline.
  bool wait_until(deadline moment) { return left_.wait(moment.nanoseconds()); }
  bool wait_for(deadline moment) { return wait_until(moment); }

  // Cancel: throws weft::cancelled if it would have to wait; it has counted down then.
  void arrive_and_wait(std::size_t n = 1) {
    if (!left_.subtract(n)) wait();
  }

 private:
  detail::countdown left_;
};

}  // namespace weft::inline v0
