// How long a stress test goes on, and with which seed.
#pragma once

#include "support/failure_note.h"
#include "support/seed.h"
#include "support/with_cores.h"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>

namespace weft_test {

// A positive number from the environment, or nothing.
inline std::optional<std::size_t> wanted_number(const char* name) {
  const char* const text = std::getenv(name);
  const long long value = text != nullptr ? std::atoll(text) : 0;
  return value > 0 ? std::optional(static_cast<std::size_t>(value)) : std::nullopt;
}

// Runs `round(random)` again and again; each is `races` of what the test is about. Goes on for `usual` rounds or 5 s,
// whichever ends first. WEFT_STRESS_SECONDS sets another time, and WEFT_STRESS_RACES a number of races, however long that
// takes; both are for each setting that a test runs under.
template <class Round>
void stress(std::size_t usual, std::size_t races, Round round) {
  const std::uint64_t seed = fresh_seed();
  const failure_note said(seed_text(seed));
  const std::optional<std::size_t> seconds = wanted_number("WEFT_STRESS_SECONDS");
  const std::optional<std::size_t> wanted_races = wanted_number("WEFT_STRESS_RACES");
  const auto begin = std::chrono::steady_clock::now();
  const auto is_over = [&](std::size_t done) {
    if (wanted_races) return done * races >= *wanted_races;
    if (!seconds && done >= usual) return true;
    return std::chrono::steady_clock::now() - begin >= std::chrono::seconds(seconds.value_or(5));
  };
  std::mt19937_64 random(seed);
  for (std::size_t done = 0; !is_over(done) && !::testing::Test::HasFailure(); ++done) round(random);
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
