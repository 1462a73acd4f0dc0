#include "scheduler/wait_cycles.h"

#include <algorithm>
#include <cstdint>

namespace weft::inline v0::detail {

namespace {

enum class mark : std::uint8_t { unseen, on_path, done };

}  // namespace

// Depth first, with the path kept by hand: chains of waits may be long.
std::vector<std::vector<std::size_t>> wait_cycles(std::size_t count, const std::vector<wait_edge>& edges) {
  std::vector<std::vector<std::size_t>> cycles;
  if (edges.empty()) return cycles;
  std::vector<wait_edge> sorted = edges;
  std::sort(sorted.begin(), sorted.end(), [](const wait_edge& a, const wait_edge& b) { return a.waits < b.waits; });
  std::vector<std::size_t> first(count + 1, 0);
  for (const wait_edge& e : sorted) ++first[e.waits + 1];
  for (std::size_t i = 0; i < count; ++i) first[i + 1] += first[i];
  std::vector<std::size_t> next_edge(first.begin(), first.end() - 1);
  std::vector<mark> marks(count, mark::unseen);
  std::vector<std::size_t> path;
  for (const wait_edge& start : sorted) {
    if (marks[start.waits] != mark::unseen) continue;
    path.push_back(start.waits);
    marks[start.waits] = mark::on_path;
    while (!path.empty()) {
      const std::size_t node = path.back();
      if (next_edge[node] == first[node + 1]) {
        marks[node] = mark::done;
        path.pop_back();
        continue;
      }
      const std::size_t on = sorted[next_edge[node]++].on;
      if (marks[on] == mark::on_path) {
        std::vector<std::size_t> ring(std::find(path.begin(), path.end(), on), path.end());
        std::rotate(ring.begin(), std::min_element(ring.begin(), ring.end()), ring.end());
        cycles.push_back(std::move(ring));
      } else if (marks[on] == mark::unseen) {
        marks[on] = mark::on_path;
        path.push_back(on);
      }
    }
  }
  return cycles;
}

}  // namespace weft::inline v0::detail
