// What a thread, a store or a fence knows of the others.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::mc {

inline constexpr std::size_t most_threads = 10;

// Happens-before: how many operations of each thread are behind us.
struct vector_clock {
  std::array<std::uint32_t, most_threads> of{};

  void join(const vector_clock& other) noexcept {
    for (std::size_t i = 0; i < most_threads; ++i) of[i] = std::max(of[i], other.of[i]);
  }
  bool covers(std::size_t thread, std::uint32_t moment) const noexcept { return of[thread] >= moment; }
};

// Coherence: for each location the oldest store that may still be read, as its place in the modification order.
struct frontier {
  std::vector<std::uint32_t> of;

  std::uint32_t at(std::size_t location) const noexcept { return location < of.size() ? of[location] : 0; }
  void raise(std::size_t location, std::uint32_t to) {
    if (location >= of.size()) of.resize(location + 1, 0);
    of[location] = std::max(of[location], to);
  }
  void join(const frontier& other) {
    if (other.of.size() > of.size()) of.resize(other.of.size(), 0);
    for (std::size_t i = 0; i < other.of.size(); ++i) of[i] = std::max(of[i], other.of[i]);
  }
};

struct knowledge {
  vector_clock clock;
  frontier seen;

  void join(const knowledge& other) {
    clock.join(other.clock);
    seen.join(other.seen);
  }
  void clear() {
    clock = {};
    seen.of.clear();
  }
};

}  // namespace weft::mc
