// Rings in the graph of who waits for whom.
#pragma once

#include <cstddef>
#include <vector>

namespace weft::inline v0::detail {

struct wait_edge {
  std::size_t waits;
  std::size_t on;
};

// Returns: rings among the nodes 0 to count - 1, each once and beginning with its smallest node; where rings share nodes
//   at least one of them. Each node of a ring waits for the next one, the last for the first.
// Complexity: count + edges.
// Throws: std::bad_alloc.
std::vector<std::vector<std::size_t>> wait_cycles(std::size_t count, const std::vector<wait_edge>& edges);

}  // namespace weft::inline v0::detail
