// How long a stress test goes on, and with which seed.
#pragma once

#include "support/failure_note.h"
#include "support/seed.h"
#include "support/with_cores.h"

#include <chrono>
#include <cstdlib>
#include <random>
#include <string>

namespace weft_test {

// Runs `round(random)` again and again, for WEFT_STRESS_SECONDS (5) or `most` rounds, whichever ends first.
template <class Round>
void stress(std::size_t most, Round round) {
  const std::uint64_t seed = fresh_seed();
  const failure_note said(seed_text(seed));
  const char* const wanted = std::getenv("WEFT_STRESS_SECONDS");
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(wanted != nullptr ? std::atoi(wanted) : 5);
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < most && std::chrono::steady_clock::now() < limit; ++i) {
    round(random);
    if (::testing::Test::HasFailure()) return;
  }
}

// The widths and migrations in turn, one for each test run of a part of the time.
template <class Part>
void for_each_setting(Part part) {
  for (const std::size_t cores : widths()) {
    for (const weft::migration migration : {weft::migration::at_start, weft::migration::free}) {
      current_setting = {cores, migration, weft::reactor_mode::adaptive};
      SCOPED_TRACE(current_setting.text());
      part(current_setting);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace weft_test
