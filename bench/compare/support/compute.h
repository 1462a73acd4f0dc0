// The fiber that computes for ten milliseconds at a time while the others echo.
#pragma once

#include <chrono>

namespace race {

inline void compute_ten_milliseconds() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(10);
  while (std::chrono::steady_clock::now() < end) {
  }
}

}  // namespace race
