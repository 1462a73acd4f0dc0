// What a fiber can be asked to be when it is spawned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::inline v0 {

// Where a started fiber may go on after a suspension.
enum class migration : std::uint8_t {
  // Work moves to another core only before it starts; once started, a fiber keeps its thread. Safe with code that keeps
  // state per thread (errno, thread_local, OpenSSL). A fiber that computes for long delays its core's others.
  at_start,
  // A ready fiber may go on on any core of its runtime. Every thread_local address, errno and pthread_self() read
  // before a suspension is stale after it.
  free,
};

// Reserved: all fibers run in the `normal` class today.
enum class priority : std::uint8_t { low, normal, high };

// Given to spawn(). What is not set comes from the runtime's options.
//
// Errors: spawn() throws std::invalid_argument that names the attribute and the value.
struct attributes {
  static constexpr std::size_t longest_name = 63;
  static constexpr std::size_t smallest_stack_bytes = std::size_t{16} << 10;
  static constexpr std::size_t largest_stack_bytes = std::size_t{8} << 20;

  std::string_view name{};                     // Copied; at most `longest_name` characters.
  std::size_t stack_bytes = 0;                 // Usable bytes, rounded up to the next size class. 0: the default.
  std::optional<std::size_t> core{};           // Runs on this core only, from its first instruction to its last.
  std::optional<weft::migration> migration{};  // Unset: the runtime's.
  weft::priority priority = weft::priority::normal;
  // The fiber keeps its own floating-point control words (rounding, traps, flush to zero) across suspensions, at about
  // 10 ns each. Without it, who changes them changes them back before the next suspension.
  bool preserve_fp = false;
};

}  // namespace weft::inline v0
