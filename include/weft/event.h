// Something that has happened, or that others wait for to happen.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/config.h>
#include <weft/detail/spend_operation.h>
#include <weft/detail/wait_list_ends.h>
#include <weft/detail/waitable_word.h>

#include <cstdint>

namespace weft::inline v0 {

namespace detail {
struct event_select;
}

// Once set, it lets everybody through until it is cleared.
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks. A wait() that need not wait may let others run first, once in a while.
// Lifetime: may be destroyed the instant a wait has returned, if all others were woken by the same set() or have
//   returned. Destroying it while it is waited for ends the program with a message.
class WEFT_API event {
 public:
  constexpr explicit event(bool is_set = false) noexcept : word_(is_set ? set_bit : 0) {}
  ~event();
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  // Wakes all that wait. Those go on even if the event is cleared at once.
  // Ordering: what was done before is visible to who gets through.
  // Blocks: never.
  void set() noexcept {
    std::uint64_t seen = word_.load(detail::relaxed);
    while ((seen & detail::waitable_word::marks) == 0) {
      if (word_.change(seen, seen | set_bit)) return;
    }
    wake_waiters();
  }

  // From now on who comes waits.
  void clear() noexcept;

  bool is_set() const noexcept { return (word_.load(detail::acquire) & set_bit) != 0; }  // Pairs with set().

  // Returns once it is set.
  // Cancel: throws weft::cancelled if it would have to wait.
  void wait() {
    detail::spend_operation([this] { return is_set(); });
    if (!is_set()) wait_until_set(detail::never);
  }

  // As wait(), but false at the deadline.
  bool wait_until(deadline moment) {
    detail::spend_operation([this] { return is_set(); });
    return is_set() || wait_until_set(moment.nanoseconds());
  }
  bool wait_for(deadline moment) { return wait_until(moment); }

 private:
  friend struct detail::event_select;

  static constexpr std::uint64_t set_bit = detail::waitable_word::unit;

  void wake_waiters() noexcept;
  bool wait_until_set(std::int64_t limit);

  detail::waitable_word word_;
  detail::wait_list_ends waiters_;  // Under the lock of word_.
};

// Each set() lets one through: the one that has waited longest, else the next that comes. Setting it again before
// somebody came changes nothing. A wait that was let through has used the set() up; one that gave up has not.
//
// Thread safety, lifetime: as event.
class WEFT_API auto_reset_event {
 public:
  constexpr explicit auto_reset_event(bool is_set = false) noexcept : word_(is_set ? set_bit : 0) {}
  ~auto_reset_event();
  auto_reset_event(const auto_reset_event&) = delete;
  auto_reset_event& operator=(const auto_reset_event&) = delete;

  // Ordering: what was done before is visible to the one that gets through.
  // Blocks: never.
  void set() noexcept {
    std::uint64_t seen = word_.load(detail::relaxed);
    while ((seen & detail::waitable_word::marks) == 0) {
      if (word_.change(seen, seen | set_bit)) return;
    }
    wake_one();
  }

  void clear() noexcept;
  bool is_set() const noexcept { return (word_.load(detail::acquire) & set_bit) != 0; }  // Pairs with set().

  // Gets through only if that needs no waiting.
  bool try_wait() noexcept {
    std::uint64_t seen = word_.load(detail::relaxed);
    while ((seen & (set_bit | detail::waitable_word::locked)) == set_bit) {
      if (word_.change(seen, seen & ~set_bit)) return true;
    }
    return (seen & set_bit) != 0 && try_again();
  }

  // Cancel: throws weft::cancelled if it would have to wait; then no set() was used up.
  void wait() {
    detail::spend_operation([this] { return is_set(); });
    if (!try_wait()) wait_for_turn(detail::never);
  }

  // As wait(), but false at the deadline.
  bool wait_until(deadline moment) {
    detail::spend_operation([this] { return is_set(); });
    return try_wait() || wait_for_turn(moment.nanoseconds());
  }
  bool wait_for(deadline moment) { return wait_until(moment); }

 private:
  friend struct detail::event_select;

  static constexpr std::uint64_t set_bit = detail::waitable_word::unit;

  bool try_again() noexcept;
  void wake_one() noexcept;
  bool wait_for_turn(std::int64_t limit);

  detail::waitable_word word_;
  detail::wait_list_ends waiters_;  // Under the lock of word_.
};

}  // namespace weft::inline v0
