// Checking a model: a function that is run again and again, as thread 0, until every choice within bounds was taken.
//
//   const weft::mc::verdict v = weft::mc::check([] {
//     weft::detail::atomic<int> x{0};
//     weft::mc::thread other([&] { x.store(1, weft::detail::release); });
//     ...
//     weft::mc::expect(claim, "claim");
//   });
//
// The function must do the same in each execution but for what other threads do, and leave nothing allocated.
#pragma once

#include <weft/mc/strategy.h>

#include <functional>
#include <iosfwd>
#include <string>

namespace weft::mc {

struct verdict {
  bool holds = true;
  bool is_complete = false;  // Every execution within bounds was looked at.
  std::size_t executions = 0;
  std::string failure;
  std::string trace;   // Of the failing execution: step, thread, operation, location, value, order, place.
  std::string replay;  // For replay_of().
};

std::ostream& operator<<(std::ostream& out, const verdict& v);

using model = std::function<void()>;

inline constexpr std::size_t unlimited_executions = static_cast<std::size_t>(-1);

// Depth first, until the bounds are exhausted or `most` executions were seen.
verdict check(const model& m, const bounds& limits = {}, std::size_t most = unlimited_executions);

// At random: for models too large for check().
verdict check_by_priority(const model& m, std::uint64_t seed, std::size_t executions, std::size_t depth = 3);

// One execution, with its trace.
verdict replay_of(const model& m, const std::string& choices);

}  // namespace weft::mc
