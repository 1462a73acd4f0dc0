// What every wait on an object with a waitable_word does.
#pragma once

#include "scheduler/cancellation.h"
#include "scheduler/no_suspend.h"
#include "scheduler/wait_list.h"
#include "sync/woken.h"

#include <weft/detail/waitable_word.h>

namespace weft::inline v0::detail {

// Waits in `line` until claimed, unless `is_served(bits)` holds under the lock; that may change the state in `bits`.
// `act`, for messages: "waits in weft::event::wait".
// Returns: the reason; `notified` for a wait that was served at once.
// After `notified` the object may be gone. Otherwise the caller must leave the line, under the lock.
template <class IsServed>
wake_reason wait_on(waitable_word& word, wait_list_ends& line, wait_node& n, std::int64_t limit, const char* act,
                    IsServed is_served) {
  check_may_wait(act);
  constexpr std::size_t before_call = sizeof "waits in " - 1;
  n.who = begin_wait(true, act + before_call);
  std::uint64_t bits = word.lock();
  if (is_served(bits)) {
    word.unlock(bits);
    retract_wait(n.who);  // A cancellation that came in between stays pending.
    return wake_reason::notified;
  }
  wait_list(line).push_back(n);
  word.unlock(bits | waitable_word::waited);
  return finish_wait(n.who, limit);
}

// For a waiter that gave up, where nobody has to be served instead.
inline void leave_line(waitable_word& word, wait_list_ends& line, wait_node& n) noexcept {
  const std::uint64_t bits = word.lock();
  wait_list list(line);
  list.unlink(n);
  word.unlock(list.empty() ? bits & ~waitable_word::waited : bits);
}

// Claims everybody in `line`.
inline void claim_all(wait_list_ends& line, woken_waiters& woken, wake_reason why = wake_reason::notified) noexcept {
  wait_list list(line);
  while (wait_node* const n = list.claim_front(why)) woken.add(*n);
}

// The end of a wait that may have been cut short: true if it was not.
// Throws: weft::cancelled.
inline bool was_served(wake_reason why) {
  if (why == wake_reason::cancelled) throw_cancelled();
  return why == wake_reason::notified;
}

}  // namespace weft::inline v0::detail
