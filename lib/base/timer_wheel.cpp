#include "base/timer_wheel.h"

#include <algorithm>

namespace weft::inline v0::detail {

timer_wheel::timer_wheel(std::int64_t now) noexcept : now_tick_(tick_of(now)) {
  for (list_node& head : slots_) head.previous = head.next = &head;
}

// Requires: !empty().
timer_wheel::position timer_wheel::earliest_slot() const noexcept {
  const auto at_present = [this](unsigned level) {
    return static_cast<unsigned>(now_tick_ >> (level * slot_bits)) % slots_per_level;
  };
  // What is left of a slot whose time has begun belongs in front of all that was already spread.
  if (spreading_level_ != 0) {
    const unsigned slot = at_present(spreading_level_);
    if ((occupied_[spreading_level_] >> slot & 1) != 0) return {spreading_level_, slot, now_tick_};
  }
  const auto level = static_cast<unsigned>(std::countr_zero(occupied_levels_));
  const auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
  const unsigned shift = level * slot_bits;
  const std::uint64_t block = now_tick_ >> (shift + slot_bits) << slot_bits;
  return {level, slot, (block | slot) << shift};
}

// A far slot with many timers is not searched: its start is a bound, and by then they will have been spread.
// While one is half spread, expire() must go on at once.
void timer_wheel::find_next() const noexcept {
  if (empty()) {
    next_ = never;
    next_is_exact_ = true;
    return;
  }
  const position first = earliest_slot();
  const bool is_half_spread = first.level != 0 && first.start == now_tick_;
  const std::int64_t bound = is_half_spread ? 0 : static_cast<std::int64_t>(first.start << tick_bits);
  const list_node* const head = &slots_[first.level * slots_per_level + first.slot];
  unsigned budget = first.level == 0 ? std::numeric_limits<unsigned>::max() : scan_batch;
  if (is_half_spread) budget = 0;

  std::int64_t earliest = never;
  const list_node* node = head->next;
  for (; node != head && budget != 0; node = node->next, --budget) {
    const std::int64_t deadline = static_cast<const timer_node*>(node)->deadline;
    if (deadline < earliest) earliest = deadline;
  }
  next_is_exact_ = node == head;
  next_ = next_is_exact_ ? earliest : bound;
}

// Returns: whether all of the slot has been spread. Requires: the slot's time has begun.
bool timer_wheel::spread(const position& from, unsigned& budget) noexcept {
  list_node* const head = &slots_[from.level * slots_per_level + from.slot];
  while (head->next != head) {
    if (budget-- == 0) {
      budget = 0;
      spreading_level_ = from.level;
      return false;
    }
    auto* const node = static_cast<timer_node*>(head->next);
    node->unlink();
    place(*node);
  }
  mark_empty(head);
  spreading_level_ = 0;
  return true;
}

// Takes what is due from a slot of level 0.
std::size_t timer_wheel::drain(const position& from, std::int64_t now, intrusive_list<timer_node>& due,
                               std::size_t limit) noexcept {
  list_node* const head = &slots_[from.slot];
  std::size_t taken = 0;
  for (list_node* node = head->next; node != head && taken < limit;) {
    auto* const timer = static_cast<timer_node*>(node);
    node = node->next;
    if (timer->deadline > now) continue;
    timer->unlink();
    due.push_back(*timer);
    ++taken;
  }
  if (head->next == head) mark_empty(head);
  return taken;
}

std::size_t timer_wheel::expire(std::int64_t now, intrusive_list<timer_node>& due, std::size_t limit) noexcept {
  const std::uint64_t target = std::max(tick_of(now), now_tick_);
  if (target == now_tick_ && now < next_) return 0;

  std::size_t expired = 0;
  unsigned budget = cascade_batch;
  bool has_spread = false;
  while (!empty() && expired < limit) {
    const position first = earliest_slot();
    if (first.start > target) break;
    if (first.start > now_tick_) now_tick_ = first.start;
    if (first.level != 0) {
      has_spread = true;
      if (!spread(first, budget)) break;
      continue;
    }
    expired += drain(first, now, due, limit - expired);
    if ((occupied_[0] >> first.slot & 1) != 0) break;  // The rest is later than `now`, or the limit is reached.
  }

  // Nothing that is left begins before `target`, so the present may move there: timers inserted next lie nearer.
  if (empty() || earliest_slot().start > target) now_tick_ = target;
  if (expired != 0 || (has_spread && !next_is_exact_)) forget_next();
  return expired;
}

}  // namespace weft::inline v0::detail
