#include "scheduler/idle_cores.h"

namespace weft::inline v0::detail {

namespace {
constexpr std::size_t word_of(std::size_t core) noexcept { return core / 64; }
constexpr std::uint64_t bit_of(std::size_t core) noexcept { return std::uint64_t{1} << (core % 64); }
}  // namespace

idle_cores::idle_cores(std::size_t cores)
    : cores_(cores), bits_(std::make_unique<atomic<std::uint64_t>[]>(word_of(cores - 1) + 1)) {}

void idle_cores::announce(std::size_t core) noexcept {
  parked_.fetch_add(1, relaxed);  // Before the bit: a claimer that finds the bit must not count below zero.
  bits_[word_of(core)].fetch_or(bit_of(core), release);
  full_fence();  // Pairs with core_to_wake(): it sees the count, or our re-scan sees its work.
}

bool idle_cores::withdraw(std::size_t core) noexcept {
  // Acquire: a claimer has counted us as searching before it cleared the bit.
  const bool ours = (bits_[word_of(core)].fetch_and(~bit_of(core), acquire) & bit_of(core)) != 0;
  if (ours) parked_.fetch_sub(1, relaxed);
  return ours;
}

bool idle_cores::enter_search() noexcept {
  const std::size_t awake = cores_ - parked_.load(relaxed);  // A stale count only lets one more or one less search.
  std::uint32_t seen = searching_.load(relaxed);
  if (seen != 0 && 2 * std::size_t{seen} >= awake) return false;
  searching_.fetch_add(1, relaxed);  // Who relies on it is seen at the fence of leave_search().
  return true;
}

bool idle_cores::leave_search() noexcept {
  const bool last = searching_.fetch_sub(1, relaxed) == 1;
  full_fence();  // Pairs with core_to_wake(): a submitter that still counted us published before our re-scan.
  return last;
}

bool idle_cores::anyone_parked(std::span<const std::uint16_t> among) const noexcept {
  for (const std::uint16_t core : among) {
    if ((bits_[word_of(core)].load(relaxed) & bit_of(core)) != 0) return true;
  }
  return false;
}

std::size_t idle_cores::claim_parked(std::span<const std::uint16_t> nearest_first) noexcept {
  for (;;) {
    std::uint32_t none = 0;
    if (!searching_.compare_exchange_strong(none, 1, relaxed, relaxed)) return nobody;
    for (const std::uint16_t core : nearest_first) {
      atomic<std::uint64_t>& word = bits_[word_of(core)];
      if ((word.load(relaxed) & bit_of(core)) == 0) continue;
      if ((word.fetch_and(~bit_of(core), acq_rel) & bit_of(core)) != 0) {
        parked_.fetch_sub(1, relaxed);
        return core;
      }
    }
    searching_.fetch_sub(1, relaxed);
    full_fence();  // Pairs with announce(): who parked while we were counted is seen now.
    // Bits, not the count: a parker that has counted itself but not set its bit yet has its re-scan before it.
    if (!anyone_parked(nearest_first)) return nobody;
    spin_pause();
  }
}

}  // namespace weft::inline v0::detail
