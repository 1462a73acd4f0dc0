// What all connections of a run add up to.
#pragma once

#include "latency_histogram.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace http_load {

enum class failure : std::uint8_t {
  connect,    // No connection.
  broken,     // Reset, or closed in the middle of an answer.
  timed_out,  // No answer in time.
  grammar,    // What came is not HTTP.
  status,     // Not the status that was expected.
  length,     // A body of another length than the first one had.
};
inline constexpr std::array<std::string_view, 6> failure_names = {"connect", "broken", "timeout",
                                                                  "grammar", "status", "length"};

// The share of one core, so that no two of them write to the same cache line.
struct alignas(128) core_totals {
  std::atomic<std::uint64_t> answers{0};
  std::atomic<std::uint64_t> bytes{0};
  std::array<std::atomic<std::uint64_t>, failure_names.size()> failures{};
  latency_histogram latencies;
};

class totals {
 public:
  explicit totals(std::size_t cores) : cores_(cores) {}

  core_totals& of(std::size_t core) noexcept { return cores_[core]; }

  std::uint64_t answers() const noexcept { return sum(&core_totals::answers); }
  std::uint64_t bytes() const noexcept { return sum(&core_totals::bytes); }

  std::uint64_t failures(std::size_t kind) const noexcept {
    std::uint64_t result = 0;
    for (const core_totals& core : cores_) result += core.failures[kind].load(std::memory_order_relaxed);
    return result;
  }
  std::uint64_t failures() const noexcept {
    std::uint64_t result = 0;
    for (std::size_t kind = 0; kind < failure_names.size(); ++kind) result += failures(kind);
    return result;
  }

  void add_latencies_to(latency_histogram& sum) const noexcept {
    for (const core_totals& core : cores_) sum.add(core.latencies);
  }

 private:
  std::uint64_t sum(std::atomic<std::uint64_t> core_totals::*member) const noexcept {
    std::uint64_t result = 0;
    for (const core_totals& core : cores_) result += (core.*member).load(std::memory_order_relaxed);
    return result;
  }

  std::vector<core_totals> cores_;
};

}  // namespace http_load
