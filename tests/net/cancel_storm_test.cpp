// Every call of a socket that blocks, cancelled at each of its phases; see support/cancel_storm.h.
#include "net/socket_calls.h"
#include "support/seed.h"

namespace weft_test {
namespace {

TEST(tcp_cancel_storm, loses_no_byte_no_connection_and_no_descriptor) {
  on_every_reactor([] {
    const std::uint64_t seed = fresh_seed();
    cancel_storm storm(seed);
    for (const named_call& each : socket_calls()) {
      for (const cancel_phase when : every_phase) {
        for (std::size_t i = 0; i < repeated(2, 1) && !::testing::Test::HasFailure(); ++i) storm.round(each, when);
      }
    }
    if (::testing::Test::HasFailure()) ADD_FAILURE() << seed_text(seed);
  });
}

}  // namespace
}  // namespace weft_test
