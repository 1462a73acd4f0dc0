// Sleeping on a word where the kernel has no futex: sleepers hang in a table of lists, hashed by the address
// of the word, each list with a lock of its own.
//
// Invariant: a sleeper compares the word and links itself under the lock of its list, and a waker looks at
// the list under the same lock after it has changed the word; so either the waker finds the sleeper or the
// sleeper finds the word changed.
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "platform/clock.h"
#include "platform/futex.h"

namespace weft::inline v0::detail {
namespace {

struct sleeper {
  const void* word = nullptr;
  sleeper* previous = nullptr;
  sleeper* next = nullptr;
  bool woken = false;
  std::condition_variable wake_up;
};

struct bucket {
  std::mutex lock;
  sleeper* first = nullptr;
  sleeper* last = nullptr;

  void append(sleeper& one) noexcept {
    one.previous = last;
    (last != nullptr ? last->next : first) = &one;
    last = &one;
  }

  void remove(sleeper& one) noexcept {
    (one.previous != nullptr ? one.previous->next : first) = one.next;
    (one.next != nullptr ? one.next->previous : last) = one.previous;
  }
};

bucket& bucket_of(const void* word) noexcept {
  // Never destroyed: threads may still sleep while static objects go.
  static auto& buckets = *new std::array<bucket, 256>;
  const auto address = reinterpret_cast<std::uintptr_t>(word);
  return buckets[(std::uint64_t{address} * 0x9E37'79B9'7F4A'7C15u) >> 56];
}

}  // namespace

int futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept {
  bucket& home = bucket_of(&word);
  std::unique_lock guard(home.lock);
  // Relaxed: the lock of the list orders this load against the waker's change, see the invariant.
  if (word.load(relaxed) != expected) return 0;
  sleeper self;
  self.word = &word;
  home.append(self);
  while (!self.woken) {
    const std::int64_t delay = delay_until(deadline);
    if (delay == 0) {
      home.remove(self);
      return ETIMEDOUT;
    }
    if (delay == never) {
      self.wake_up.wait(guard);
    } else {
      // In pieces: the standard library adds the delay to a time of its own and must not overflow.
      constexpr std::int64_t longest = 3'600'000'000'000;
      self.wake_up.wait_for(guard, std::chrono::nanoseconds(delay < longest ? delay : longest));
    }
  }
  return 0;
}

int futex_wake(const atomic<std::uint32_t>& word, int count) noexcept {
  bucket& home = bucket_of(&word);
  const std::lock_guard guard(home.lock);
  int woken = 0;
  for (sleeper* one = home.first; one != nullptr && woken < count;) {
    sleeper& candidate = *one;
    one = one->next;
    if (candidate.word != &word) continue;
    home.remove(candidate);
    candidate.woken = true;
    candidate.wake_up.notify_one();  // Under the lock: without it the sleeper could be gone.
    ++woken;
  }
  return woken;
}

}  // namespace weft::inline v0::detail
