// Timers in a hierarchical wheel: arming and disarming cost a few instructions, however many there are.
//
// Level 0 holds the ticks that share all but their last six bits with the present one, level 1 those that share all
// but the last twelve, and so on; eight levels hold every deadline. A slot of a higher level is spread over the lower
// ones when its time begins. Deadlines stay exact to the nanosecond: within a slot they are compared one by one.
#pragma once

#include "base/intrusive_list.h"

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <weft/detail/duration.h>

namespace weft::inline v0::detail {

// One timer. The owner sets both members before insert() and leaves the deadline alone until the timer is unlinked. The
// wheel never calls `fire`: whoever takes a due timer out of expire()'s list does, and gives its result a meaning.
struct timer_node : list_node {
  std::int64_t deadline = never;  // Nanoseconds on the clock of the wheel, not negative.
  void* (*fire)(timer_node& self) = nullptr;
};

static_assert(sizeof(void*) != 8 || sizeof(timer_node) <= 40, "a timer is part of every wait");

// Thread safety: none; the owner's lock covers the wheel, the nodes in it and the lists that expire() filled.
// Lifetime: nodes are removed or expired before they die or the wheel does. It neither allocates nor reads a clock.
class timer_wheel {
 public:
  // `now` is the clock at present; time starts there.
  explicit timer_wheel(std::int64_t now) noexcept;
  ~timer_wheel() { assert(empty()); }
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  // Requires: `node` is not linked, and its deadline is not `never`. A deadline that has passed is fine: it is due.
  // Complexity: constant.
  void insert(timer_node& node) noexcept {
    assert(node.deadline != never);
    place(node);
    if (node.deadline < next_) {
      next_ = node.deadline;
      next_is_exact_ = true;
    }
  }

  // Takes `node` out of the wheel, or out of the list that expire() moved it to.
  // Returns: false if it was in neither.
  // Complexity: constant.
  bool remove(timer_node& node) noexcept {
    if (!node.linked()) return false;
    bool slot_emptied = false;
    // Only the head of a list stands on both sides of a node: if it is one of ours, the slot empties now.
    if (node.previous == node.next) slot_emptied = mark_empty(node.next);
    node.unlink();
    if (node.deadline == next_ || (slot_emptied && !next_is_exact_)) forget_next();
    return true;
  }

  bool empty() const noexcept { return occupied_levels_ == 0; }

  // Returns: `never` when empty. Else the earliest deadline; or, where that one is far and has many neighbours, an
  //   earlier moment at which expire() will have to look. Never later than the earliest deadline.
  // Thread safety: writes a cache, so it needs the lock too.
  std::int64_t next_deadline() const noexcept {
    if (next_ == unknown) find_next();
    return next_;
  }

  // Moves timers whose deadline is at or before `now` to the end of `due`, early ones first, to within a tick; at
  // most `limit` of them. Time may not have moved, or even be a little behind an earlier call.
  // Returns: how many. There may be more even if that is less than `limit`, because the work on far timers is bounded
  //   too: then next_deadline() is not after `now`.
  std::size_t expire(std::int64_t now, intrusive_list<timer_node>& due, std::size_t limit) noexcept;

 private:
  static constexpr unsigned tick_bits = 16;  // A tick is 65.5 us; level 0 spans 4.2 ms, level 3 eighteen minutes.
  static constexpr unsigned slot_bits = 6;
  static constexpr unsigned slots_per_level = 1U << slot_bits;
  static constexpr unsigned level_count = 8;
  static_assert(tick_bits + slot_bits * level_count >= 63, "every deadline has a slot");
  static constexpr unsigned cascade_batch = 256;  // Timers spread by one call: bounds how long a lock is held.
  static constexpr unsigned scan_batch = 16;      // Timers of a far slot that find_next() looks at.
  static constexpr std::int64_t unknown = std::numeric_limits<std::int64_t>::min();

  static std::uint64_t tick_of(std::int64_t time) noexcept {
    return time > 0 ? static_cast<std::uint64_t>(time) >> tick_bits : 0;
  }

  // The highest digit in which the tick differs from the present one is its level, and the digit its slot. So a
  // slot's content moves down exactly when the present reaches it, and the lowest set bit of the lowest occupied
  // level is the earliest slot of all.
  void place(timer_node& node) noexcept {
    std::uint64_t tick = tick_of(node.deadline);
    if (tick < now_tick_) tick = now_tick_;
    const auto highest_bit = static_cast<unsigned>(63 - std::countl_zero((tick ^ now_tick_) | 1));
    const unsigned level = highest_bit / slot_bits;
    const unsigned slot = static_cast<unsigned>(tick >> (level * slot_bits)) % slots_per_level;
    node.link_before(slots_[level * slots_per_level + slot]);
    occupied_[level] |= std::uint64_t{1} << slot;
    occupied_levels_ |= 1U << level;
  }

  // Notes that the slot headed by `head` has no timers, if that is a slot of this wheel.
  bool mark_empty(const list_node* head) noexcept {
    const auto offset = reinterpret_cast<std::uintptr_t>(head) - reinterpret_cast<std::uintptr_t>(slots_);
    if (offset >= sizeof slots_) return false;
    const auto index = static_cast<unsigned>(offset / sizeof(list_node));
    const unsigned level = index / slots_per_level;
    occupied_[level] &= ~(std::uint64_t{1} << (index % slots_per_level));
    if (occupied_[level] == 0) occupied_levels_ &= ~(1U << level);
    return true;
  }

  void forget_next() noexcept {
    next_ = empty() ? never : unknown;
    next_is_exact_ = true;
  }

  struct position {
    unsigned level;
    unsigned slot;
    std::uint64_t start;  // The first tick of the slot.
  };
  position earliest_slot() const noexcept;
  void find_next() const noexcept;
  bool spread(const position& from, unsigned& budget) noexcept;
  std::size_t drain(const position& from, std::int64_t now, intrusive_list<timer_node>& due,
                    std::size_t limit) noexcept;

  std::uint64_t now_tick_;
  // No deadline is earlier than this; one is equal to it if it is exact.
  mutable std::int64_t next_ = never;
  mutable bool next_is_exact_ = true;
  std::uint32_t occupied_levels_ = 0;
  unsigned spreading_level_ = 0;  // A slot of this level, at the present, is half spread; 0: none.
  std::uint64_t occupied_[level_count] = {};
  list_node slots_[level_count * slots_per_level];
};

}  // namespace weft::inline v0::detail
