// Every blocking call, cancelled at each of its phases; see support/cancel_storm.h. The long form is a stress test.
#include "support/blocking_calls.h"
#include "support/seed.h"

using namespace weft_test;

namespace {

void storm_over(const std::vector<named_call>& calls) {
  const std::uint64_t seed = fresh_seed();
  cancel_storm storm(seed);
  for (const named_call& each : calls) {
    for (const cancel_phase when : every_phase) {
      for (std::size_t i = 0; i < repeated(8, 3) && !::testing::Test::HasFailure(); ++i) storm.round(each, when);
    }
  }
  if (::testing::Test::HasFailure()) ADD_FAILURE() << seed_text(seed);
}

}  // namespace

WEFT_TEST(cancel_storm, over_what_waits_for_fibers) { storm_over(waiting_calls()); }
WEFT_TEST(cancel_storm, over_what_locks) { storm_over(locking_calls()); }
WEFT_TEST(cancel_storm, over_what_waits_for_signals) { storm_over(signalling_calls()); }
WEFT_TEST(cancel_storm, over_channels) { storm_over(channel_calls()); }
