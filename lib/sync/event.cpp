// Invariant: nobody is in the line of an event that is set, whenever the lock is not held.
#include <weft/event.h>

#include "sync/misuse.h"
#include "sync/wait_on.h"

namespace weft::inline v0 {

using detail::waitable_word;

namespace {

void clear_bit(waitable_word& word, std::uint64_t bit) noexcept {
  std::uint64_t seen = word.load(detail::relaxed);
  while ((seen & waitable_word::locked) == 0) {
    if (word.change(seen, seen & ~bit)) return;
  }
  word.unlock(word.lock() & ~bit);
}

}  // namespace

// --- event -----------------------------------------------------------------------------------------------------------

event::~event() {
  if ((word_.load(detail::relaxed) & waitable_word::marks) != 0) {
    detail::end_for_misuse("weft::~event: an event is destroyed while it is waited for");
  }
}

void event::clear() noexcept { clear_bit(word_, set_bit); }

void event::wake_waiters() noexcept {
  detail::woken_waiters woken;
  word_.lock();
  detail::claim_all(waiters_, woken);
  word_.unlock(set_bit);
  woken.make_ready();
}

bool event::wait_until_set(std::int64_t limit) {
  detail::wait_node n;
  const detail::wake_reason why =
      detail::wait_on(word_, waiters_, n, limit, "waits in weft::event::wait",
                      [](const std::uint64_t& bits) noexcept { return (bits & set_bit) != 0; });
  if (why != detail::wake_reason::notified) detail::leave_line(word_, waiters_, n);
  return detail::was_served(why);
}

// --- auto_reset_event ------------------------------------------------------------------------------------------------

auto_reset_event::~auto_reset_event() {
  if ((word_.load(detail::relaxed) & waitable_word::marks) != 0) {
    detail::end_for_misuse("weft::~auto_reset_event: an event is destroyed while it is waited for");
  }
}

void auto_reset_event::clear() noexcept { clear_bit(word_, set_bit); }

// The lock may have been in the way.
bool auto_reset_event::try_again() noexcept {
  const std::uint64_t bits = word_.lock();
  word_.unlock(bits & ~set_bit);
  return (bits & set_bit) != 0;
}

void auto_reset_event::wake_one() noexcept {
  const std::uint64_t bits = word_.lock();
  detail::wait_list list(waiters_);
  detail::wait_node* const first = list.claim_front(detail::wake_reason::notified);
  const std::uint64_t mark = list.empty() ? 0 : waitable_word::waited;
  word_.unlock(first != nullptr ? mark | (bits & set_bit) : set_bit);
  if (first != nullptr) make_ready(*first->who.record);
}

bool auto_reset_event::wait_for_turn(std::int64_t limit) {
  detail::wait_node n;
  const detail::wake_reason why = detail::wait_on(word_, waiters_, n, limit, "waits in weft::auto_reset_event::wait",
                                                  [](std::uint64_t& bits) noexcept {
                                                    if ((bits & set_bit) == 0) return false;
                                                    bits &= ~set_bit;
                                                    return true;
                                                  });
  if (why != detail::wake_reason::notified) detail::leave_line(word_, waiters_, n);
  return detail::was_served(why);
}

}  // namespace weft::inline v0
