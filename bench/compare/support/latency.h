// Latencies, and their percentiles in microseconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace race {

using clock = std::chrono::steady_clock;
using moment = clock::time_point;

// Long enough for every runtime to have gone to sleep.
constexpr std::chrono::milliseconds pause_between_wakes(5);

class latencies {
 public:
  void reserve(std::size_t count) { microseconds_.reserve(count); }

  void add(clock::duration latency) {
    microseconds_.push_back(std::chrono::duration<float, std::micro>(latency).count());
  }

  std::uint64_t count() const noexcept { return microseconds_.size(); }

  double seconds() const noexcept {
    double sum = 0;
    for (const float each : microseconds_) sum += double(each);
    return sum / 1e6;
  }

  // The members for race::report().
  std::string percentiles() {
    std::sort(microseconds_.begin(), microseconds_.end());
    char text[128];
    std::snprintf(text, sizeof text, ",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f", at(0.5), at(0.99), at(0.999));
    return text;
  }

 private:
  double at(double part) const noexcept {
    if (microseconds_.empty()) return 0;
    const auto place = static_cast<std::size_t>(part * double(microseconds_.size()));
    return double(microseconds_[std::min(place, microseconds_.size() - 1)]);
  }

  std::vector<float> microseconds_;
};

}  // namespace race
