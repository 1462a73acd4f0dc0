// A small, fast, seedable generator for choices that need no secrecy: victims, jitter, tests.
#pragma once

#include <cstdint>

namespace weft::inline v0::detail {

// Meets UniformRandomBitGenerator, so that std::shuffle and the distributions take it.
//
// Thread safety: none; one per core or per test.
// Complexity: one next() is three shifts and a multiplication; the period is 2^64 - 1.
class random_source {
 public:
  using result_type = std::uint64_t;

  // Any seed will do, neighbouring ones too: they start unrelated sequences.
  explicit constexpr random_source(std::uint64_t seed) noexcept : state_(scramble(seed)) {}

  constexpr std::uint64_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dU;
  }

  // Returns: a number in [0, bound), evenly spread up to a bias of bound / 2^32.
  // Requires: bound > 0.
  constexpr std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

  constexpr std::uint64_t operator()() noexcept { return next(); }
  static constexpr std::uint64_t min() noexcept { return 0; }
  static constexpr std::uint64_t max() noexcept { return ~std::uint64_t{0}; }

 private:
  // A xorshift state must not be zero, and close seeds must not give close states.
  static constexpr std::uint64_t scramble(std::uint64_t seed) noexcept {
    seed += 0x9e3779b97f4a7c15U;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9U;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebU;
    seed ^= seed >> 31;
    return seed != 0 ? seed : 0x9e3779b97f4a7c15U;
  }

  std::uint64_t state_;
};

}  // namespace weft::inline v0::detail
