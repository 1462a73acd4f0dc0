// So many in so long a time, and no more.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/atomic.h>
#include <weft/detail/config.h>
#include <weft/semaphore.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weft::inline v0 {

struct rate_limit {
  std::size_t permits = 1;  // In each `per`, on the average.
  std::chrono::nanoseconds per = std::chrono::seconds(1);
  std::size_t burst = 1;  // How many may be saved up, and taken at once.
};

// A bucket of at most `burst` permits, full at first, into which they drip evenly. Reckoned in whole nanoseconds without
// rounding: over any time, no more than burst + time * permits / per are given. What drips into a full bucket is lost, so
// that a bucket of few permits gives less than the rate where those who wait for it wake late.
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks. No timer runs while nobody waits.
// Fairness: first come, first served, however many permits each wants; while somebody waits, nobody overtakes. Who gives
//   up has taken nothing, and those behind move up.
// Lifetime: destroy it only after every call has returned; while it is waited for, that ends the program with a message.
class WEFT_API rate_limiter {
 public:
  // Throws: std::system_error (invalid_argument) where a value is zero or negative, or burst * per, or permits * per, is
  //   over 2^62 ns.
  explicit rate_limiter(const rate_limit& limit);
  ~rate_limiter();
  rate_limiter(const rate_limiter&) = delete;
  rate_limiter& operator=(const rate_limiter&) = delete;

  // Takes `count` permits, and waits until they are there.
  // Throws: std::system_error (invalid_argument) for more than the burst.
  // Cancel: throws weft::cancelled if it would have to wait; then it has taken none.
  void acquire(std::size_t count = 1) { try_acquire_until(deadline::never(), count); }

  // Takes them only if that needs no waiting.
  bool try_acquire(std::size_t count = 1);

  // As acquire(), but false where they will not be there by the deadline: who is first in line learns that at once.
  bool try_acquire_until(deadline moment, std::size_t count = 1);
  bool try_acquire_for(deadline moment, std::size_t count = 1) { return try_acquire_until(moment, count); }

  // Permits there at this moment.
  std::size_t available() const noexcept;

 private:
  void check(std::size_t count) const;
  void refill(std::int64_t now) const noexcept;
  std::int64_t take_or_due(std::int64_t now, std::int64_t cost) noexcept;

  // A permit is worth `per_` units, and each nanosecond brings `permits_`.
  const std::int64_t permits_;
  const std::int64_t per_;
  const std::int64_t capacity_;
  mutable detail::atomic<std::uint32_t> lock_{0};
  mutable std::int64_t level_;    // All of this under lock_.
  mutable std::int64_t updated_;  // When level_ was right, in monotonic nanoseconds.
  std::size_t waiting_ = 0;
  semaphore turn_{1};  // Held by the first in line.
};

}  // namespace weft::inline v0
