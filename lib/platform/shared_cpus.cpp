#include "platform/shared_cpus.h"

#include <weft/detail/atomic.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace weft::inline v0::detail {

namespace {
constexpr std::size_t most_cpus = 4096;  // Those beyond share one count with others, and then do not spin.
std::array<atomic<std::uint32_t>, most_cpus> workers_on;

atomic<std::uint32_t>& count_of(int cpu) noexcept { return workers_on[static_cast<std::size_t>(cpu) % most_cpus]; }
}  // namespace

shared_cpus::~shared_cpus() {
  for (const int cpu : claimed_) count_of(cpu).fetch_sub(1, relaxed);
}

void shared_cpus::claim(const topology& seats) {
  for (const seat& s : seats.seats()) {
    if (s.os_index < 0) continue;
    claimed_.push_back(s.os_index);
    count_of(s.os_index).fetch_add(1, relaxed);
  }
}

bool shared_cpus::are_shared() const noexcept {
  return std::any_of(claimed_.begin(), claimed_.end(), [](int cpu) { return count_of(cpu).load(relaxed) > 1; });
}

}  // namespace weft::inline v0::detail
