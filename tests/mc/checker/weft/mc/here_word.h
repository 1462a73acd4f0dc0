// The thread-local word by which production code knows where it runs: every thread of the model has one of its own.
#pragma once

#include <cstdint>

namespace weft::mc {

// The checker's own tests know no such word, and leave these as they are.
struct here_word {
  static inline std::uintptr_t (*get)() = [] { return std::uintptr_t{0}; };
  static inline void (*set)(std::uintptr_t) = [](std::uintptr_t) {};
};

}  // namespace weft::mc
