// Invariant: nobody is in line unless a call is under way, whenever the lock is not held.
#include <weft/once.h>

#include "sync/caller.h"
#include "sync/misuse.h"
#include "sync/wait_on.h"

namespace weft::inline v0 {

using detail::waitable_word;

namespace {

struct once_waiter : detail::wait_node {
  std::uint64_t me = 0;
  bool is_next = false;  // Set by a call that failed: this waiter makes the next one.
};

}  // namespace

once_flag::~once_flag() {
  const std::uint64_t bits = word_.load(detail::relaxed);
  if (bits != 0 && bits != done_bit) {
    detail::end_for_misuse("weft::~once_flag: a once_flag is destroyed while a call is under way");
  }
}

bool once_flag::begin() {
  once_waiter n;
  n.me = detail::caller_identity();
  std::uint64_t seen = 0;
  if (word_.change(seen, n.me)) return true;
  if ((seen & ~waitable_word::marks) == n.me) {
    detail::refuse(std::errc::resource_deadlock_would_occur, "weft::call_once: called again from within the call");
  }
  bool is_mine = false;
  const detail::wake_reason why =
      detail::wait_on(word_, waiters_, n, detail::never, "waits in weft::call_once", [&](std::uint64_t& bits) noexcept {
        if (bits == 0) {
          bits = n.me;
          is_mine = true;
        }
        return is_mine || bits == done_bit;
      });
  if (why != detail::wake_reason::notified) detail::leave_line(word_, waiters_, n);
  detail::was_served(why);
  return is_mine || n.is_next;
}

void once_flag::finish(bool has_succeeded) noexcept {
  detail::woken_waiters woken;
  word_.lock();
  if (has_succeeded) {
    detail::claim_all(waiters_, woken);
    word_.unlock(done_bit);
  } else {
    detail::wait_list list(waiters_);
    auto* const next = static_cast<once_waiter*>(list.claim_front(detail::wake_reason::notified));
    std::uint64_t bits = 0;
    if (next != nullptr) {
      next->is_next = true;
      bits = next->me | (list.empty() ? 0 : waitable_word::waited);
      woken.add(*next);
    }
    word_.unlock(bits);
  }
  woken.make_ready();
}

}  // namespace weft::inline v0
