// Roles: one *chooser*, in run_select(); *partners*, who claim its wait as any other waiter's.
// Invariant: of all cases of one select at most one is done, and what the others are about is as if they had never been
//   asked: their nodes are out of every list before run_select() returns or throws.
// Protocol of the chooser:
//   try    with no wait under way, ask each case in turn. Partners are claimed as any caller would claim them; nobody
//          can claim the chooser, whose nodes are in no list.
//   enroll begin one wait and put a node of it into each object's list, one object after the other, each under its lock
//          alone. Where a case has become possible meanwhile, the chooser claims *its own wait* first and then does the
//          case under the same lock: so no partner can choose another case any more. If the own wait is gone, a partner
//          was quicker, and its wake is awaited. If the own wait was claimed but the case was not possible after all
//          (the partner it saw had been claimed by others), everything is withdrawn and begins anew.
//   wait   until a partner, the deadline or a cancellation claims the wait; then withdraw every other case.
// Two choosers that enroll at the same time on two channels, each the partner of the other, may both claim themselves
//   and find the other claimed. No lock is held while a second is taken, so this is no deadlock; both withdraw and begin
//   anew, and the first to have all its nodes in place is claimed by the other.
// A wake without a winner announces a change of state: withdraw, and try again.
#include <weft/select.h>

#include "base/cache_line.h"
#include "scheduler/cancellation.h"
#include "scheduler/plain_thread.h"
#include "sync/channel_node.h"
#include "sync/suspend_until.h"

#include <weft/this_fiber.h>

#include <span>
#include <utility>

namespace weft::inline v0::detail {

namespace {

// A draw for each select, from a state that its core has for itself: two cores that share one draw the same numbers at
// times, which harms nobody. Relaxed, and not exchanged, for the same reason.
struct alignas(cache_line) draws {
  atomic<std::uint64_t> state{0x9e3779b97f4a7c15U};
};
constinit draws draws_of_core[16];

class chance {
 public:
  explicit chance(const core* c) noexcept : kept_(draws_of_core[c != nullptr ? c->index % 16 : 15].state) {
    std::uint64_t x = kept_.load(relaxed);
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    kept_.store(x, relaxed);
    bits_ = x * 0x2545f4914f6cdd1dU;
  }
  // In [0, bound).
  std::uint32_t below(std::uint32_t bound) noexcept {
    const std::uint64_t scaled = (bits_ >> 32) * bound;
    bits_ = bits_ * 0xd1342543de82ef95U + 1;
    return static_cast<std::uint32_t>(scaled >> 32);
  }
  bool says_one_in_64() const noexcept { return (bits_ & 63) == 0; }

 private:
  atomic<std::uint64_t>& kept_;
  std::uint64_t bits_;
};

class chooser {
 public:
  chooser(select_case* const* cases, std::uint16_t* order, std::size_t count) noexcept : cases_(cases), order_(order) {
    for (std::size_t i = 0; i < count; ++i) {
      select_case& c = *cases[i];
      if (c.is_off) continue;
      switch (c.what) {
        case select_case::role::source:
          order_[sources_++] = static_cast<std::uint16_t>(i);
          break;
        case select_case::role::deadline:
          if (timeout_ == none || c.limit < limit_) {
            limit_ = c.limit;
            timeout_ = i;
          }
          break;
        case select_case::role::otherwise:
          if (otherwise_ == none) otherwise_ = i;
          break;
        case select_case::role::disabled:
          break;
      }
    }
  }

  static constexpr std::size_t none = SIZE_MAX;

  // The case that could be done at once, or that is chosen where none could; none if the select must wait.
  std::size_t try_all(chance& luck, bool by_priority) {
    for (std::uint32_t i = 0; i < sources_; ++i) {
      if (!by_priority && i + 1 < sources_) std::swap(order_[i], order_[i + luck.below(sources_ - i)]);
      if (select_case& c = at(i); c.ops->try_now(c)) return order_[i];
    }
    if (otherwise_ != none) return otherwise_;
    return limit_ <= 0 ? timeout_ : none;
  }

  // False if the wait is over before it began: then `done` is the case, or none to begin anew.
  bool enroll_all(const waiter& w, std::size_t& done) {
    w.record->winner = nullptr;
    for (enrolled_ = 0; enrolled_ < sources_; ++enrolled_) {
      select_case& c = at(enrolled_);
      (::new (static_cast<void*>(&c.node)) channel_node)->who = w;
      switch (enroll(c, w)) {
        case enroll_result::enrolled:
          continue;
        case enroll_result::overtaken:
          return true;
        case enroll_result::taken:
          done = order_[enrolled_];
          break;
        case enroll_result::again:
          done = none;
          break;
      }
      go_on_running(w);
      withdraw_all(nullptr);
      return false;
    }
    return true;
  }

  std::int64_t limit() const noexcept { return limit_; }
  std::size_t timeout() const noexcept { return timeout_; }

  // After the wait: the case that won, or none to begin anew.
  std::size_t finish(const void* winner) {
    const std::size_t won = withdraw_all(winner);
    if (won == none) return none;
    select_case& c = at(won);
    return c.ops->won(c) ? order_[won] : none;
  }

 private:
  select_case& at(std::size_t i) const noexcept { return *cases_[order_[i]]; }

  enroll_result enroll(select_case& c, const waiter& w) {
    try {
      return c.ops->enroll(c);
    } catch (...) {
      go_on_running(w);
      withdraw_all(nullptr);
      throw;
    }
  }

  // The wait was claimed by its own owner: nobody will wake it.
  static void go_on_running(const waiter& w) noexcept {
    if (!w.record->is_thread) activation_of(*w.record).run.store(run_state::running, relaxed);
  }

  // All but the winner's, whose place in the order is returned.
  std::size_t withdraw_all(const void* winner) noexcept {
    std::size_t won = none;
    for (std::size_t i = 0; i < enrolled_; ++i) {
      select_case& c = at(i);
      if (winner == static_cast<wait_node*>(&node_of(c))) {
        won = i;
      } else {
        c.ops->withdraw(c);
      }
    }
    return won;
  }

  select_case* const* cases_;
  std::uint16_t* order_;  // Of the sources, as they are asked.
  std::uint32_t sources_ = 0;
  std::uint32_t enrolled_ = 0;
  std::size_t timeout_ = none;
  std::size_t otherwise_ = none;
  std::int64_t limit_ = never;
};

}  // namespace

std::size_t run_select(select_case* const* cases, std::uint16_t* order, std::size_t count, bool by_priority) {
  chance luck(here());
  if (luck.says_one_in_64() && current_fiber() != nullptr) [[unlikely]]
    this_fiber::yield();  // As every operation that may go on without ever waiting.
  chooser all(cases, order, count);
  for (;;) {
    std::size_t done = all.try_all(luck, by_priority);
    if (done != chooser::none) return done;
    const waiter w = begin_wait_here("select");
    if (!all.enroll_all(w, done)) {
      if (done != chooser::none) return done;
      spin_pause();
      continue;
    }
    const wake_reason why = suspend_until_woken(w, all.limit());
    done = all.finish(why == wake_reason::notified ? w.record->winner : nullptr);
    if (why == wake_reason::cancelled) throw_cancelled();
    if (why == wake_reason::timed_out) return all.timeout();
    if (done != chooser::none) return done;
  }
}

}  // namespace weft::inline v0::detail
