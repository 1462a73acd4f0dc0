#include "platform/fast_clock.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "platform/clock.h"
#include "support/replaced_system_calls.h"

namespace {

using namespace weft::detail;

// Reads `clock` until it trusts the counter, or for 200 ms on machines where it never does.
void calibrate(fast_clock& clock) {
  const std::int64_t enough = deadline_after(200'000'000);
  while (!clock.is_calibrated() && monotonic_now() < enough) clock.now();
}

TEST(fast_clock, agrees_with_the_kernel) {
  fast_clock clock;
  calibrate(clock);
  const std::int64_t end = deadline_after(50'000'000);
  std::int64_t worst = 0;
  for (std::int64_t after = 0; after < end;) {
    const std::int64_t before = monotonic_now();
    const std::int64_t now = clock.now();
    after = monotonic_now();
    // The truth lies between the two: nothing that interrupts this thread makes the difference larger.
    if (now < before) worst = std::max(worst, before - now);
    if (now > after) worst = std::max(worst, now - after);
  }
  EXPECT_LE(worst, 1'000);
}

TEST(fast_clock, follows_a_replaced_clock) {
  fast_clock clock;
  calibrate(clock);
  {
    const weft_test::replaced_system_calls table([](system_calls& calls) {
      calls.clock_gettime = [](clockid_t, timespec* now) noexcept {
        *now = {.tv_sec = 5, .tv_nsec = 6};
        return 0;
      };
    });
    EXPECT_EQ(clock.now(), 5'000'000'006);
  }
  const std::int64_t before = monotonic_now();
  EXPECT_GE(clock.now(), before - 1'000) << "and comes back to the real one";
}

}  // namespace
