// What is to be done about a fiber besides running it.
#pragma once

#include <cstdint>

namespace weft::inline v0::detail {

// One byte, so that the usual answer, nothing, takes one test.
struct fiber_care {
  static constexpr std::uint8_t preserve_fp = 1;    // Its floating-point control words are its own.
  static constexpr std::uint8_t measure_stack = 2;  // See stack_marks.h.

  std::uint8_t bits = 0;

  bool any() const noexcept { return bits != 0; }
  bool preserves_fp() const noexcept { return (bits & preserve_fp) != 0; }
  bool measures_stack() const noexcept { return (bits & measure_stack) != 0; }
};

}  // namespace weft::inline v0::detail
