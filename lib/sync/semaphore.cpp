// Invariant: whoever waits in front wants more permits than are free, whenever the lock is not held. So whatever adds
//   permits or takes a waiter out of the line serves the line before it drops the lock.
#include <weft/semaphore.h>

#include "sync/misuse.h"
#include "sync/wait_on.h"

#include <string>

namespace weft::inline v0 {

using detail::waitable_word;

namespace {

struct permit_waiter : detail::wait_node {
  std::uint64_t wanted = 0;  // In units of the word.
};

// Under the lock. Returns the word to unlock with.
std::uint64_t serve(std::uint64_t bits, detail::wait_list_ends& waiters, detail::woken_waiters& woken) noexcept {
  std::uint64_t free = bits & ~waitable_word::marks;
  while (waiters.first != nullptr) {
    auto& n = static_cast<permit_waiter&>(*waiters.first);
    if (n.wanted > free) return free | waitable_word::waited;
    detail::wait_list(waiters).unlink(n);
    if (!claim(n.who, detail::wake_reason::notified)) continue;  // It gave up, and takes nothing.
    free -= n.wanted;
    woken.add(n);
  }
  return free;
}

}  // namespace

semaphore::semaphore(std::size_t permits, std::size_t limit, const char* who)
    : word_(permits * waitable_word::unit), limit_(limit), name_(who) {
  if (permits > max()) {
    detail::refuse(std::errc::invalid_argument, std::string(who) + ": " + std::to_string(permits) +
                                                    " permits, at most " + std::to_string(max()) + " can be");
  }
}

semaphore::~semaphore() {
  if ((word_.load(detail::relaxed) & waitable_word::marks) != 0) {
    detail::end_for_misuse("weft::~semaphore: a semaphore is destroyed while it is waited for");
  }
}

// The lock may have been in the way.
bool semaphore::try_again(std::size_t count) noexcept {
  std::uint64_t bits = word_.load(detail::relaxed);
  if ((bits & waitable_word::locked) == 0) return false;
  bits = word_.lock();
  const bool is_enough = (bits & waitable_word::waited) == 0 && count <= bits / waitable_word::unit;
  word_.unlock(is_enough ? bits - count * waitable_word::unit : bits);
  return is_enough;
}

bool semaphore::wait_for_permits(std::size_t count, std::int64_t limit) {
  if (count > limit_) {
    detail::refuse(std::errc::invalid_argument, std::string(name_) + "::acquire: " + std::to_string(count) +
                                                    " permits wanted, at most " + std::to_string(limit_) + " can be");
  }
  permit_waiter n;
  n.wanted = count * waitable_word::unit;
  const detail::wake_reason why = detail::wait_on(word_, waiters_, n, limit, "waits in weft::semaphore::acquire",
                                                  [wanted = n.wanted](std::uint64_t& bits) noexcept {
                                                    if ((bits & waitable_word::waited) != 0 || bits < wanted)
                                                      return false;
                                                    bits -= wanted;
                                                    return true;
                                                  });
  if (why != detail::wake_reason::notified) {
    detail::woken_waiters woken;
    const std::uint64_t bits = word_.lock();
    detail::wait_list(waiters_).unlink(n);
    word_.unlock(serve(bits, waiters_, woken));  // Those behind may have waited for us only.
    woken.make_ready();
  }
  return detail::was_served(why);
}

void semaphore::release_to_waiters(std::size_t count) {
  detail::woken_waiters woken;
  const std::uint64_t bits = word_.lock();
  const auto free = static_cast<std::size_t>(bits / waitable_word::unit);
  if (count > limit_ - free) {
    word_.unlock(bits);
    detail::refuse(std::errc::value_too_large, std::string(name_) + "::release: " + std::to_string(count) +
                                                   " permits given, " + std::to_string(free) + " are free of at most " +
                                                   std::to_string(limit_));
  }
  word_.unlock(serve(bits + count * waitable_word::unit, waiters_, woken));
  woken.make_ready();
}

}  // namespace weft::inline v0
