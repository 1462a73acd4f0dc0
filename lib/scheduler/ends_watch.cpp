// Roles: the *watcher* owns the watch and its nodes; *finishers* are the fibers that end.
// Invariant: a node is in the list of its fiber's end until that is finished; the finisher then moves it to the list of
//   ends, under the watch's lock, before it says that the fiber is done, and touches neither afterwards, but for a node
//   whose watcher it has claimed, and which therefore stays until the watcher is made ready.
// Protocol:
//   finisher: lock; append the node; claim the watcher, if it waits; unlock; say done; make the claimed watcher ready
//   watcher:  begin a wait; lock; if there is no end yet, say that it waits; unlock; suspend
// Each node that has not been returned holds a reference to its fiber's record, for the handle may go meanwhile.
#include <weft/detail/ends_watch.h>
#include <weft/wait.h>

#include "platform/process.h"
#include "platform/spin_lock.h"
#include "scheduler/cancellation.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/watched_end.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace weft::inline v0::detail {

namespace {

struct watched_fiber : watched_end {
  ends_watch_list* list = nullptr;
  fiber_record* fiber = nullptr;  // Null once it was returned.
  watched_fiber* next_ended = nullptr;
  bool has_ended = false;  // Guarded by the list's lock.
};

}  // namespace

// What finishers touch.
struct ends_watch_list {
  spin_lock lock;
  watched_fiber* first = nullptr;  // Guarded by the lock, as the next two.
  watched_fiber* last = nullptr;
  waiter watcher;

  // Requires: the lock.
  void append(watched_fiber& ended) noexcept {
    ended.has_ended = true;
    (last != nullptr ? last->next_ended : first) = &ended;
    last = &ended;
  }

  watched_fiber* pop() noexcept {
    const std::scoped_lock hold(lock);
    watched_fiber* const ended = first;
    if (ended == nullptr) return nullptr;
    first = ended->next_ended;
    if (first == nullptr) last = nullptr;
    return ended;
  }
};

wait_record* note_watched_end(watched_end& n) noexcept {
  auto& ended = static_cast<watched_fiber&>(n);
  ends_watch_list& list = *ended.list;
  const std::scoped_lock hold(list.lock);
  list.append(ended);
  const waiter watcher = std::exchange(list.watcher, waiter{});
  return watcher.record != nullptr && claim(watcher, wake_reason::notified) ? watcher.record : nullptr;
}

struct ends_watch::state {
  ends_watch_list ended;
  std::vector<watched_fiber> nodes;
  std::size_t left;  // Not returned yet.

  explicit state(const std::vector<fiber_record*>& fibers) : nodes(fibers.size()), left(fibers.size()) {
    for (std::size_t i = 0; i < fibers.size(); ++i) {
      watched_fiber& n = nodes[i];
      n.list = &ended;
      n.fiber = fibers[i];
      if (n.fiber != nullptr) {
        add_reference(n.fiber);
        if (n.fiber->end.add(n)) continue;
      }
      const std::scoped_lock hold(ended.lock);
      ended.append(n);
    }
  }

  ~state() {
    for (watched_fiber& each : nodes) {
      if (each.fiber == nullptr) continue;
      bool has_ended = false;
      {
        const std::scoped_lock hold(ended.lock);
        has_ended = each.has_ended;
      }
      if (!has_ended) each.fiber->end.remove(each);  // Returns only once a finisher is done with the node.
      give_up(*each.fiber);
    }
  }

  state(const state&) = delete;
  state& operator=(const state&) = delete;

  std::size_t hand_out(watched_fiber& n) noexcept {
    --left;
    if (n.fiber != nullptr) {
      n.fiber->end.wait_out_finisher();  // It may be about to say so.
      give_up(*std::exchange(n.fiber, nullptr));
    }
    return static_cast<std::size_t>(&n - nodes.data());
  }
};

ends_watch::ends_watch(const std::vector<fiber_record*>& fibers) {
  const fiber_record* const me = current_fiber();
  if (me != nullptr && std::find(fibers.begin(), fibers.end(), me) != fibers.end()) {
    throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                            "weft::wait: fiber " + std::to_string(me->id.load(relaxed)) + " waits for itself");
  }
  state_ = new state(fibers);
}

ends_watch::~ends_watch() { delete state_; }

std::size_t ends_watch::next(std::int64_t deadline) {
  ends_watch_list& ended = state_->ended;
  for (;;) {
    if (watched_fiber* const n = ended.pop()) return state_->hand_out(*n);
    if (state_->left == 0) return none;
    if (forked_child()) {
      throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                              "weft::wait: the fibers live in the process that this one was forked from");
    }
    check_cancelled("weft::wait");
    const waiter me = begin_wait(true, "weft::wait");
    bool is_waiting = false;
    {
      const std::scoped_lock hold(ended.lock);
      is_waiting = ended.first == nullptr;
      if (is_waiting) ended.watcher = me;
    }
    const wake_reason why = is_waiting ? finish_wait(me, deadline) : retract_wait(me);
    {
      const std::scoped_lock hold(ended.lock);
      ended.watcher = {};
    }
    if (watched_fiber* const n = ended.pop()) return state_->hand_out(*n);
    if (why == wake_reason::timed_out) return none;
    if (why == wake_reason::cancelled) throw_cancelled("weft::wait");
  }
}

bool fiber_failed(const fiber_record* fiber) noexcept {
  return fiber->end.done() && fiber->outcome == fiber_outcome::error;
}

wait_result wait_for_fibers(const std::vector<fiber_record*>& fibers, wait_for until, std::int64_t deadline) {
  for (std::size_t i = 0; i < fibers.size(); ++i) {
    if (fibers[i] != nullptr) continue;
    throw std::system_error(
        std::make_error_code(std::errc::invalid_argument),
        "weft::wait: handle " + std::to_string(i) + " has no fiber: it was joined, detached or moved from");
  }
  {
    ends_watch ends(fibers);
    for (std::size_t at = ends.next(deadline); at != ends_watch::none; at = ends.next(deadline)) {
      if (until == wait_for::first_completed) break;
      if (until == wait_for::first_exception && fiber_failed(fibers[at])) break;
    }
  }
  wait_result result;
  for (std::size_t i = 0; i < fibers.size(); ++i) {
    (fibers[i]->end.done() ? result.done : result.pending).push_back(i);
  }
  return result;
}

}  // namespace weft::inline v0::detail
