// Invariant: nobody is in line while the count is zero, whenever the lock is not held.
#include <weft/detail/countdown.h>

#include "sync/misuse.h"
#include "sync/wait_on.h"

#include <string>

namespace weft::inline v0::detail {

countdown::countdown(std::size_t count, const char* name) : word_(count * waitable_word::unit), name_(name) {
  if (count > max) {
    refuse(std::errc::invalid_argument, std::string(name) + ": a count of " + std::to_string(count) + ", at most " +
                                            std::to_string(max) + " can be");
  }
}

countdown::~countdown() {
  if ((word_.load(relaxed) & waitable_word::marks) != 0) {
    end_for_misuse((std::string(name_) + " is destroyed while it is waited for").c_str());
  }
}

bool countdown::subtract_locked(std::size_t n) {
  const std::uint64_t bits = word_.lock();
  const auto before = static_cast<std::size_t>(bits / waitable_word::unit);
  if (n > before) {
    word_.unlock(bits);
    refuse(std::errc::invalid_argument, std::string(name_) + ": counted down by " + std::to_string(n) + " from " +
                                            std::to_string(before) + ", below zero");
  }
  if (n != before) {
    word_.unlock(bits - n * waitable_word::unit);
    return false;
  }
  woken_waiters woken;
  claim_all(waiters_, woken);
  word_.unlock(0);
  woken.make_ready();
  return true;
}

void countdown::add(std::size_t n) {
  const std::uint64_t bits = word_.lock();
  const auto before = static_cast<std::size_t>(bits / waitable_word::unit);
  const bool fits = n <= max - before;
  word_.unlock(fits ? bits + n * waitable_word::unit : bits);
  if (!fits) {
    refuse(std::errc::value_too_large, std::string(name_) + ": " + std::to_string(n) + " added to " +
                                           std::to_string(before) + ", at most " + std::to_string(max) + " can be");
  }
}

bool countdown::wait_for_zero(std::int64_t limit) {
  wait_node n;
  const wake_reason why = wait_on(word_, waiters_, n, limit, "waits in weft::latch::wait or weft::wait_group::wait",
                                  [](const std::uint64_t& bits) noexcept { return bits < waitable_word::unit; });
  if (why != wake_reason::notified) leave_line(word_, waiters_, n);
  return was_served(why);
}

}  // namespace weft::inline v0::detail
