// Seeds for randomised tests: another one in each run, told on failure, and repeatable by WEFT_SEED.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace weft_test {

inline std::uint64_t fresh_seed() {
  if (const char* given = std::getenv("WEFT_SEED")) return std::strtoull(given, nullptr, 0);
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// For SCOPED_TRACE; in fibers for failure_note.
inline std::string seed_text(std::uint64_t seed) { return "WEFT_SEED=" + std::to_string(seed); }

}  // namespace weft_test
