// The parts of the soak: each runs on a fiber, does a random amount of work, checks what must hold, and leaves nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace weft_soak {

using random_numbers = std::mt19937_64;

// Done so far, by all parts.
inline std::atomic<std::uint64_t> operations{0};

// What must hold does not: ends the program with `what` on the standard error stream.
[[noreturn]] void fail(const std::string& what);

inline void must(bool holds, const char* what) {
  if (!holds) fail(what);
}

struct part {
  const char* name;
  void (*run)(random_numbers& random);
};

std::span<const part> parts() noexcept;

}  // namespace weft_soak
