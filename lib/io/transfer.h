// The loops around a call that moves only a part of what was asked: they know no descriptor and no system
// call, so a test can feed them any sequence of counts and errors.
//
// An *attempt* takes a place and a size and returns what read() and write() return in lib/: a count, or -errno.
#pragma once

#include "io/failure.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <limits>

namespace weft::inline v0::detail {

// The most that one attempt asks for. Kernels cut larger transfers off (Linux at 2 GiB less a page), and then
// a short count would not mean that the descriptor is drained.
inline constexpr std::size_t largest_attempt = std::size_t{1} << 30;

struct transferred {
  std::size_t count = 0;  // What was moved before the end or the error.
  int error = 0;          // 0, an errno value or early_end.
};

constexpr transferred transferred_of(std::ptrdiff_t result) noexcept {
  if (result < 0) return {0, static_cast<int>(-result)};
  return {static_cast<std::size_t>(result), 0};
}

template <class Call>
auto retry_interrupted(Call&& call) noexcept {
  for (;;) {
    const auto result = call();
    if (result != -EINTR) return result;
  }
}

// Moves `size` bytes from `data` on, or all that come before an error. An attempt that moves nothing is an
// error where bytes were asked for: to go on would spin.
template <class Byte, class Attempt>
transferred write_everything(Byte* data, std::size_t size, Attempt&& attempt) noexcept {
  transferred done;
  while (done.count < size) {
    const std::ptrdiff_t moved = attempt(data + done.count, std::min(size - done.count, largest_attempt));
    if (moved <= 0) {
      done.error = moved < 0 ? static_cast<int>(-moved) : EIO;
      break;
    }
    done.count += static_cast<std::size_t>(moved);
  }
  return done;
}

// Fills `size` bytes from `data` on. The end before the first byte gives {0, 0}; later it is early_end.
template <class Byte, class Attempt>
transferred read_everything(Byte* data, std::size_t size, Attempt&& attempt) noexcept {
  transferred done;
  while (done.count < size) {
    const std::ptrdiff_t moved = attempt(data + done.count, std::min(size - done.count, largest_attempt));
    if (moved <= 0) {
      done.error = moved < 0 ? static_cast<int>(-moved) : done.count > 0 ? early_end : 0;
      break;
    }
    done.count += static_cast<std::size_t>(moved);
  }
  return done;
}

}  // namespace weft::inline v0::detail
