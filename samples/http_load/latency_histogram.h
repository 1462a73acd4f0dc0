// How often a request took how long.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace http_load {

// Counts in buckets that are 1/64 of their value wide, from nanoseconds to years.
//
// Thread safety: all members may be called at once; what is read may lag behind.
class latency_histogram {
 public:
  void add(std::uint64_t nanoseconds) noexcept {
    counts_[bucket_of(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
  }

  void add(const latency_histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) {
      counts_[i].fetch_add(other.counts_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
  }

  std::uint64_t count() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& one : counts_) sum += one.load(std::memory_order_relaxed);
    return sum;
  }

  // The time, in nanoseconds, that a share of `fraction` of all took at most; 0 if there are none.
  std::uint64_t quantile(double fraction) const noexcept {
    const std::uint64_t total = count();
    std::uint64_t left = static_cast<std::uint64_t>(fraction * static_cast<double>(total));
    for (std::size_t i = 0; i < buckets; ++i) {
      const std::uint64_t here = counts_[i].load(std::memory_order_relaxed);
      if (here > left || (here > 0 && here == left && fraction >= 1)) return top_of(i);
      left -= here;
    }
    return 0;
  }

 private:
  static constexpr unsigned precision_bits = 6;
  static constexpr std::size_t per_octave = std::size_t{1} << precision_bits;
  static constexpr std::size_t buckets = (64 - precision_bits + 1) * per_octave;

  // Small values have a bucket each; the others go by their highest bits.
  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < per_octave) return static_cast<std::size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - precision_bits - 1;
    return (shift + 1) * per_octave + static_cast<std::size_t>((value >> shift) - per_octave);
  }

  static std::uint64_t top_of(std::size_t bucket) noexcept {
    if (bucket < per_octave) return bucket;
    const std::size_t shift = bucket / per_octave - 1;
    return ((per_octave + bucket % per_octave + 1) << shift) - 1;
  }

  std::array<std::atomic<std::uint64_t>, buckets> counts_{};
};

}  // namespace http_load
