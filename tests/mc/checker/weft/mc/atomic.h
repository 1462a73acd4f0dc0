// What stands behind the atomics gate (weft/detail/atomic.h) when production code is compiled for the model checker.
//
// An atomic here is as large as its value and holds the newest value of its modification order, so layouts stay what
// they are, and memory that nobody constructed works as zeroes do. All that the model knows more (older stores, who has
// seen what) is kept by address, see memory.h. Outside of an execution the operations are plain ones.
#pragma once

#include <weft/mc/operations.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

#include <weft/detail/config.h>

namespace weft::inline v0::detail {

using std::memory_order;
inline constexpr memory_order relaxed = std::memory_order_relaxed;
inline constexpr memory_order acquire = std::memory_order_acquire;
inline constexpr memory_order release = std::memory_order_release;
inline constexpr memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr memory_order seq_cst = std::memory_order_seq_cst;

template <class T>
class atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  using site = std::source_location;
  using difference = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;

 public:
  using value_type = T;

  constexpr atomic() noexcept : value_() { begin(); }
  // NOLINTNEXTLINE(google-explicit-constructor): as std::atomic.
  constexpr atomic(T value) noexcept : value_(value) { begin(); }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(memory_order order = seq_cst, site at = site::current()) const noexcept {
    return of_bits(mc::load(word(), order, at));
  }
  void store(T value, memory_order order = seq_cst, site at = site::current()) noexcept {
    mc::store(word(), bits_of(value), order, at);
  }
  T exchange(T value, memory_order order = seq_cst, site at = site::current()) noexcept {
    const std::uint64_t desired = bits_of(value);
    return of_bits(mc::modify(word(), mc::modification::exchange, desired, order, at));
  }
  bool compare_exchange_strong(T& expected, T desired, memory_order success, memory_order failure,
                               site at = site::current()) noexcept {
    return compare_exchange(expected, desired, success, failure, false, at);
  }
  bool compare_exchange_weak(T& expected, T desired, memory_order success, memory_order failure,
                             site at = site::current()) noexcept {
    return compare_exchange(expected, desired, success, failure, true, at);
  }
  bool compare_exchange_strong(T& expected, T desired, memory_order order, site at = site::current()) noexcept {
    return compare_exchange(expected, desired, order, failure_of(order), false, at);
  }
  bool compare_exchange_weak(T& expected, T desired, memory_order order, site at = site::current()) noexcept {
    return compare_exchange(expected, desired, order, failure_of(order), true, at);
  }
  T fetch_add(difference by, memory_order order = seq_cst, site at = site::current()) noexcept {
    return of_bits(mc::modify(word(), mc::modification::add, scaled(by), order, at));
  }
  T fetch_sub(difference by, memory_order order = seq_cst, site at = site::current()) noexcept {
    return of_bits(mc::modify(word(), mc::modification::subtract, scaled(by), order, at));
  }
  T fetch_or(T by, memory_order order = seq_cst, site at = site::current()) noexcept {
    return of_bits(mc::modify(word(), mc::modification::bit_or, bits_of(by), order, at));
  }
  T fetch_and(T by, memory_order order = seq_cst, site at = site::current()) noexcept {
    return of_bits(mc::modify(word(), mc::modification::bit_and, bits_of(by), order, at));
  }

 private:
  constexpr void begin() noexcept {
    if (!std::is_constant_evaluated()) mc::construct(&value_);
  }
  mc::word_ref word() const noexcept { return {const_cast<void*>(static_cast<const void*>(&value_)), sizeof(T)}; }

  static constexpr memory_order failure_of(memory_order order) noexcept {
    return order == acq_rel ? acquire : order == release ? relaxed : order;
  }
  static std::uint64_t bits_of(T value) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
  }
  static T of_bits(std::uint64_t bits) noexcept {
    T value;
    std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
    return value;
  }
  static std::uint64_t scaled(difference by) noexcept {
    if constexpr (std::is_pointer_v<T>) {
      return static_cast<std::uint64_t>(by) * sizeof(std::remove_pointer_t<T>);
    } else {
      return bits_of(by);
    }
  }
  bool compare_exchange(T& expected, T desired, memory_order success, memory_order failure, bool is_weak,
                        site at) noexcept {
    std::uint64_t seen = bits_of(expected);
    const bool done = mc::compare_exchange(word(), seen, bits_of(desired), {success, failure, is_weak}, at);
    if (!done) expected = of_bits(seen);
    return done;
  }

  T value_;
};

inline void full_fence(std::source_location at = std::source_location::current()) noexcept { mc::fence(seq_cst, at); }

// As the model sees it, the exchange before this one is no fence.
inline void fence_after_exchange(std::source_location at = std::source_location::current()) noexcept {
  mc::fence(seq_cst, at);
}

inline void release_fence(std::source_location at = std::source_location::current()) noexcept {
  mc::fence(release, at);
}

inline void spin_pause() noexcept { mc::spin(); }

}  // namespace weft::inline v0::detail
