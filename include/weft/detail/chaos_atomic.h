// The atomics of the chaos build: as std::atomic, but a weak compare-and-swap fails now and then where it need not, and
// a thread may lose its CPU just before it changes a word.
#pragma once

#include <weft/detail/config.h>

#include <atomic>

namespace weft::inline v0::detail {

WEFT_API bool chaos_fails_exchange() noexcept;
WEFT_API void chaos_before_write() noexcept;

template <class T>
class chaos_atomic : public std::atomic<T> {
  using base = std::atomic<T>;

 public:
  using base::base;
  using base::operator=;

  T exchange(T to, std::memory_order order = std::memory_order_seq_cst) noexcept {
    chaos_before_write();
    return base::exchange(to, order);
  }

  bool compare_exchange_weak(T& expected, T to, std::memory_order success, std::memory_order failure) noexcept {
    if (chaos_fails_exchange()) {
      expected = base::load(failure);
      return false;
    }
    return base::compare_exchange_weak(expected, to, success, failure);
  }

  bool compare_exchange_weak(T& expected, T to, std::memory_order order) noexcept {
    if (chaos_fails_exchange()) {
      expected = base::load();
      return false;
    }
    return base::compare_exchange_weak(expected, to, order);
  }

  bool compare_exchange_strong(T& expected, T to, std::memory_order success, std::memory_order failure) noexcept {
    chaos_before_write();
    return base::compare_exchange_strong(expected, to, success, failure);
  }

  bool compare_exchange_strong(T& expected, T to, std::memory_order order) noexcept {
    chaos_before_write();
    return base::compare_exchange_strong(expected, to, order);
  }
};

}  // namespace weft::inline v0::detail
