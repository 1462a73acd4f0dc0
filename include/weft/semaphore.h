// Counted permits: so many at a time, and no more.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/config.h>
#include <weft/detail/spend_operation.h>
#include <weft/detail/wait_list_ends.h>
#include <weft/detail/waitable_word.h>

#include <cstddef>
#include <cstdint>

namespace weft::inline v0 {

// The face of std::counting_semaphore, and several permits at once.
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks. An acquire() that need not wait may let others run first, once in a while; try_acquire()
//   never does.
// Fairness: first come, first served. While somebody waits, nobody overtakes: a wait for many permits collects them as
//   they are released, and what comes later waits behind it.
// Lifetime: may be destroyed the instant the last acquire has returned. Destroying it while it is waited for ends the
//   program with a message.
class WEFT_API semaphore {
 public:
  static constexpr std::size_t max() noexcept { return static_cast<std::size_t>(UINT64_MAX >> 3); }

  // Throws: std::system_error (invalid_argument) for more than max().
  explicit semaphore(std::size_t permits) : semaphore(permits, max(), "weft::semaphore") {}
  ~semaphore();
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  // Takes `count` permits, all at once.
  // Throws: std::system_error (invalid_argument) for more than there can ever be.
  // Cancel: throws weft::cancelled if it would have to wait; then it has taken none.
  // Ordering: what was done before the release of the permits is visible.
  void acquire(std::size_t count = 1) {
    detail::spend_operation([&] { return count <= available(); });
    if (!take(count)) wait_for_permits(count, detail::never);
  }

  // Takes them only if that needs no waiting: false also where enough are free, but somebody waits for more of them.
  bool try_acquire(std::size_t count = 1) noexcept { return take(count) || try_again(count); }

  // As acquire(), but false at the deadline.
  bool try_acquire_until(deadline moment, std::size_t count = 1) {
    detail::spend_operation([&] { return count <= available(); });
    return take(count) || wait_for_permits(count, moment.nanoseconds());
  }
  bool try_acquire_for(deadline moment, std::size_t count = 1) { return try_acquire_until(moment, count); }

  // Gives `count` permits, whether they were taken or are new, first to those that wait.
  // Throws: std::system_error (value_too_large) where there would be more than the limit; then nothing has changed.
  // Blocks: never.
  void release(std::size_t count = 1) {
    std::uint64_t seen = word_.load(detail::relaxed);
    while ((seen & detail::waitable_word::marks) == 0 && count <= limit_ - seen / detail::waitable_word::unit) {
      if (word_.change(seen, seen + count * detail::waitable_word::unit)) return;
    }
    release_to_waiters(count);
  }

  // Permits free at this moment.
  std::size_t available() const noexcept {
    return static_cast<std::size_t>(word_.load(detail::relaxed) / detail::waitable_word::unit);
  }

 protected:
  semaphore(std::size_t permits, std::size_t limit, const char* who);

 private:
  bool take(std::size_t count) noexcept {
    std::uint64_t seen = word_.load(detail::relaxed);
    while ((seen & detail::waitable_word::marks) == 0 && count <= seen / detail::waitable_word::unit) {
      if (word_.change(seen, seen - count * detail::waitable_word::unit)) return true;
    }
    return false;
  }
  bool try_again(std::size_t count) noexcept;
  bool wait_for_permits(std::size_t count, std::int64_t limit);
  void release_to_waiters(std::size_t count);

  detail::waitable_word word_;      // The number of free permits.
  detail::wait_list_ends waiters_;  // Under the lock of word_.
  const std::size_t limit_;
  const char* const name_;
};

// A semaphore that never holds more permits than it began with: releasing what was not acquired is an error.
class WEFT_API bounded_semaphore : public semaphore {
 public:
  explicit bounded_semaphore(std::size_t permits) : semaphore(permits, permits, "weft::bounded_semaphore") {}
};

// Holds permits for a scope.
class [[nodiscard]] semaphore_guard {
 public:
  explicit semaphore_guard(semaphore& from, std::size_t count = 1) : from_(from), count_(count) { from.acquire(count); }
  ~semaphore_guard() { from_.release(count_); }
  semaphore_guard(const semaphore_guard&) = delete;
  semaphore_guard& operator=(const semaphore_guard&) = delete;

 private:
  semaphore& from_;
  std::size_t count_;
};

}  // namespace weft::inline v0
