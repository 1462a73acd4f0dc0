// The frames of a fiber that waits, as another thread sees them.
#pragma once

#include "platform/symbols.h"
#include "scheduler/activation.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace weft::inline v0::detail {

inline constexpr std::size_t most_frames = 32;

// Follows the frame pointers on the stack of `a`, innermost first. The stack is copied and never stopped: the caller
// checks afterwards that the fiber has waited all the while.
// Returns: how many of `frames` were written.
std::size_t waiting_frames(const activation& a, const void* (&frames)[most_frames]) noexcept;

// Turns addresses of code into text, each one once.
class frame_names {
 public:
  // Throws: std::bad_alloc.
  const std::string& of(const void* code, bool is_return);

 private:
  symbol_reader symbols_;
  std::unordered_map<const void*, std::string> known_;
};

}  // namespace weft::inline v0::detail
