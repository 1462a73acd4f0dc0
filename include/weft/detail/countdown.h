// A count that is waited for to become zero: what a latch and a wait group are made of.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/wait_list_ends.h>
#include <weft/detail/waitable_word.h>

#include <cstddef>
#include <cstdint>

namespace weft::inline v0::detail {

class WEFT_API countdown {
 public:
  static constexpr std::size_t max = static_cast<std::size_t>(UINT64_MAX >> 3);

  // `name`, for messages: a literal.
  countdown(std::size_t count, const char* name);
  ~countdown();
  countdown(const countdown&) = delete;
  countdown& operator=(const countdown&) = delete;

  bool is_zero() const noexcept { return word_.load(acquire) < waitable_word::unit; }  // Pairs with subtract().
  std::size_t count() const noexcept { return static_cast<std::size_t>(word_.load(relaxed) / waitable_word::unit); }

  // Wakes all at zero, and returns whether it is: the object may be gone then.
  // Throws: std::system_error (invalid_argument) where the count would become negative.
  bool subtract(std::size_t n) {
    std::uint64_t seen = word_.load(relaxed);
    // Who does not bring it to zero has nobody to wake.
    while (n < seen / waitable_word::unit + ((seen & waitable_word::waited) == 0 ? 1 : 0) &&
           (seen & waitable_word::locked) == 0) {
      if (word_.change(seen, seen - n * waitable_word::unit)) return n == seen / waitable_word::unit;
    }
    return subtract_locked(n);
  }

  // Throws: std::system_error (value_too_large).
  void add(std::size_t n);

  // False at the deadline. Throws: weft::cancelled.
  bool wait(std::int64_t limit) { return is_zero() || wait_for_zero(limit); }

 private:
  bool subtract_locked(std::size_t n);
  bool wait_for_zero(std::int64_t limit);

  waitable_word word_;
  wait_list_ends waiters_;  // Under the lock of word_.
  const char* const name_;
};

}  // namespace weft::inline v0::detail
