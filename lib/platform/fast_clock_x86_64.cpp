// The ratio of nanoseconds to ticks is measured between comparisons that lie at least 16 ms apart, and used
// for one millisecond past the last of them. A comparison is off by at most some hundred nanoseconds, so the
// ratio is off by some millionths and an estimate by some nanoseconds; a clock being slewed by the kernel (at
// most 500 millionths) adds half a microsecond.
#include "platform/fast_clock.h"

#include <cpuid.h>

#include <cerrno>
#include <string_view>

#include "platform/clock.h"

namespace weft::inline v0::detail {
namespace {

constexpr std::int64_t longest_trust_ns = 1'000'000;
constexpr std::int64_t shortest_base_ns = 16'000'000;
// A reading of the kernel's clock that took longer than this (some 0.6 us) was interrupted.
constexpr std::uint64_t interrupted_ticks = 2'000;

bool counter_is_invariant() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x8000'0007, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
}

// The kernel watches the counters of all CPUs and leaves them for another clock when they disagree.
bool kernel_trusts_counter() noexcept {
  const system_calls& calls = real_system_calls();
  const int fd =
      calls.open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  char text[64];
  const ssize_t size = calls.read(fd, text, sizeof(text));
  calls.close(fd);
  if (size <= 0) return false;
  std::string_view name(text, static_cast<std::size_t>(size));
  if (name.ends_with('\n')) name.remove_suffix(1);
  return name == "tsc" || name == "kvm-clock" || name == "hyperv_clocksource_tsc_page";
}

bool counter_is_good() noexcept {
  static const bool answer = counter_is_invariant() && kernel_trusts_counter();
  return answer;
}

}  // namespace

fast_clock::fast_clock() noexcept : real_(counter_is_good() ? &real_system_calls() : nullptr) { compare(); }

std::int64_t fast_clock::compare() noexcept {
  const std::uint64_t before = __builtin_ia32_rdtsc();
  const std::int64_t ns = monotonic_now();
  // A null `real_` is never the active table, and a test's table must not leave its time behind here.
  if (&sys() != real_) return ns;
  const std::uint64_t took = __builtin_ia32_rdtsc() - before;
  if (took < interrupted_ticks) calibrate({before + took / 2, ns});
  return ns;
}

void fast_clock::calibrate(const reading& fresh) noexcept {
  const std::int64_t base_ns = fresh.ns - base_.ns;
  const std::uint64_t base_ticks = fresh.ticks - base_.ticks;
  if (base_.ns == 0) {
    base_ = fresh;
  } else if (base_ns >= shortest_base_ns) {
    const double measured = static_cast<double>(base_ns) / static_cast<double>(base_ticks) * 4294967296.0;
    const double known = static_cast<double>(ratio_);
    // From 100 MHz to 20 GHz, and the same as before to a thousandth: else the machine has slept or moved, or
    // this is the first measurement, which has to be confirmed by a second before it is trusted.
    const bool plausible = measured > 0.05 * 4294967296.0 && measured < 10 * 4294967296.0;
    const bool confirmed = plausible && measured > known * 0.999 && measured < known * 1.001;
    ratio_ = plausible ? static_cast<std::uint64_t>(measured) : 0;
    trusted_ticks_ =
        confirmed ? static_cast<std::uint64_t>(static_cast<double>(longest_trust_ns) * 4294967296.0 / measured) : 0;
    base_ = fresh;
  }
  anchor_ticks_ = fresh.ticks;
  anchor_ns_ = fresh.ns;
}

}  // namespace weft::inline v0::detail
