// A lock that many readers hold at once, or one writer alone.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/config.h>
#include <weft/detail/spend_operation.h>
#include <weft/detail/wait_list_ends.h>
#include <weft/detail/waitable_word.h>

#include <cstddef>
#include <cstdint>
#include <shared_mutex>

namespace weft::inline v0 {

// The face of std::shared_timed_mutex: std::unique_lock, std::shared_lock and std::scoped_lock work.
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks. A lock() that need not wait may let others run first, once in a while; the try_ forms never do.
// Fairness: readers and writers take turns where both wait. While a writer waits, new readers wait behind it; when a
//   writer is done, all readers that wait by then go first, and after them the next writer. Writers are served in order
//   of arrival. So nobody waits for more than one turn of the other kind for each turn of its own.
// Lifetime: may be destroyed the instant its next owner has returned from its call. Destroying it while it is locked or
//   waited for ends the program with a message.
class WEFT_API shared_mutex {
 public:
  constexpr shared_mutex() noexcept = default;
  ~shared_mutex();
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;

  // --- As the only writer ---------------------------------------------------------------------------------------------

  // Throws: std::system_error, resource_deadlock_would_occur if the caller has locked it as writer already. Who holds it
  //   as reader must not call it: that waits for itself, and is not noticed.
  // Cancel: throws weft::cancelled if it would have to wait; then it is not locked.
  // Ordering: what was done under the lock before is visible.
  void lock();
  bool try_lock() noexcept;
  bool try_lock_until(deadline moment);  // False at the deadline. Otherwise as lock().
  bool try_lock_for(deadline moment) { return try_lock_until(moment); }

  // Throws: std::system_error, operation_not_permitted if the caller is not the writer.
  // Blocks: never.
  void unlock();

  // --- As one of many readers -----------------------------------------------------------------------------------------

  // A reader that comes a second time may wait for a writer that waits for it: do not nest.
  // Throws: std::system_error, resource_deadlock_would_occur if the caller has locked it as writer.
  // Cancel: throws weft::cancelled if it would have to wait; then it is not locked.
  // Ordering: what writers did under the lock before is visible.
  void lock_shared() {
    detail::spend_operation([this] { return is_open_to_readers(); });
    if (!take_shared()) lock_shared_slow(detail::never);
  }
  bool try_lock_shared() noexcept { return take_shared() || try_shared_again(); }
  bool try_lock_shared_until(deadline moment) {
    detail::spend_operation([this] { return is_open_to_readers(); });
    return take_shared() || lock_shared_slow(moment.nanoseconds());
  }
  bool try_lock_shared_for(deadline moment) { return try_lock_shared_until(moment); }

  // Throws: std::system_error, operation_not_permitted if nobody holds it as reader.
  // Blocks: never.
  void unlock_shared() {
    std::uint64_t seen = word_.load(detail::relaxed);
    // Only the last reader has anybody to wake.
    while ((seen & (writer | detail::waitable_word::locked)) == 0 &&
           seen >= reader + ((seen & detail::waitable_word::waited) != 0 ? reader : 0)) {
      if (word_.change(seen, seen - reader)) return;
    }
    unlock_shared_slow();
  }

 private:
  static constexpr std::uint64_t writer = detail::waitable_word::unit;      // With it, the rest is the owner.
  static constexpr std::uint64_t reader = 2 * detail::waitable_word::unit;  // Without, the number of readers.

  bool is_open_to_readers() const noexcept {
    return (word_.load(detail::relaxed) & (writer | detail::waitable_word::waited)) == 0;
  }
  bool take_shared() noexcept {
    std::uint64_t seen = word_.load(detail::relaxed);
    while ((seen & (writer | detail::waitable_word::marks)) == 0) {
      if (word_.change(seen, seen + reader)) return true;
    }
    return false;
  }
  bool try_shared_again() noexcept;
  bool lock_shared_slow(std::int64_t limit);
  void unlock_shared_slow();
  bool lock_slow(std::uint64_t me, std::int64_t limit);
  void check_not_mine(std::uint64_t me, const char* call) const;

  detail::waitable_word word_;
  detail::wait_list_ends readers_;  // Both under the lock of word_.
  detail::wait_list_ends writers_;
};

// Every weft::shared_mutex knows deadlines.
using shared_timed_mutex = shared_mutex;

}  // namespace weft::inline v0
