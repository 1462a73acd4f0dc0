// monotonic_now() for a third of its price, for the paths that take the time for every relative deadline.
#pragma once

#include <cstdint>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

// Estimates monotonic_now() from the processor's time-stamp counter, which it compares with the kernel's
// clock again once a millisecond. Where the counter cannot be trusted (no invariant counter, a kernel that
// does not use it, a replaced system-call table) each reading is monotonic_now() itself.
//
// The estimate is within a microsecond of monotonic_now(), on either side, and may step back by as much: it
// is good for setting a deadline, and not for deciding that one has passed.
//
// Thread safety: one thread at a time; each core has its own.
class fast_clock {
 public:
  // Reads a few facts about the machine at the first construction in the process.
  fast_clock() noexcept;

  // Returns: nanoseconds on the clock of monotonic_now().
  // Blocks: never; about 12 ns, and 60 ns when it compares.
  std::int64_t now() noexcept {
#ifdef __x86_64__
    const std::uint64_t age = __builtin_ia32_rdtsc() - anchor_ticks_;
    // Relaxed: only the address is compared, nothing is read through it.
    if (age < trusted_ticks_ && active_system_calls.load(relaxed) == real_) [[likely]] {
      return anchor_ns_ + static_cast<std::int64_t>((age * ratio_) >> 32);
    }
#endif
    return compare();
  }

  // Whether readings come from the counter now.
  bool is_calibrated() const noexcept { return trusted_ticks_ != 0; }

 private:
  struct reading {
    std::uint64_t ticks;
    std::int64_t ns;
  };

  std::int64_t compare() noexcept;
  void calibrate(const reading& fresh) noexcept;

  const system_calls* real_;
  std::uint64_t anchor_ticks_ = 0;
  std::uint64_t trusted_ticks_ = 0;  // How long the anchor serves; 0 until the ratio is known.
  std::uint64_t ratio_ = 0;          // Nanoseconds for each tick, times 2^32.
  std::int64_t anchor_ns_ = 0;
  reading base_{0, 0};  // Where the measurement of the ratio began; ns 0: not yet.
};

}  // namespace weft::inline v0::detail
