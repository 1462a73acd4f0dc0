// Which CPUs there are for weft, and how far they are from each other.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::inline v0::detail {

// One usable CPU. The three groups are numbers from 0 that only mean "the same" or "another".
struct seat {
  int os_index;       // The operating system's number of the CPU; -1: not to be pinned.
  int node;           // NUMA node.
  int cache_group;    // Seats that share the last cache level.
  int physical_core;  // Seats that share a core's execution units (SMT siblings).
};

// An immutable list of seats. The first seats are the best ones to use when fewer are wanted: one hardware
// thread of each physical core, neighbour by neighbour, then the second threads.
//
// Thread safety: const members may be called at once.
class topology {
 public:
  // The CPUs of original_affinity(), from hwloc; flat when hwloc is absent, fails, or describes another machine.
  // Throws: std::bad_alloc.
  static topology detect();

  // What an hwloc synthetic description ("node:2 l3:2 core:4 pu:2") spells out. Its seats have os_index -1.
  // Throws: std::invalid_argument naming `description` when hwloc refuses it, or when weft was built without hwloc.
  static topology synthetic(std::string_view description);

  // `cpus` as equals: one node, one cache, each its own core.
  // Throws: std::invalid_argument when `cpus` is empty.
  static topology flat(std::span<const int> cpus);

  // The same shape, with the os_index of seat i being cpus[i % cpus.size()]: pins a synthetic topology onto the real
  // CPUs.
  // Requires: !cpus.empty().
  topology mapped_onto(std::span<const int> cpus) const;

  // The same shape, cut to the first `count` seats.
  // Returns: all of them when there are no more than that; at least one.
  topology first(std::size_t count) const;

  // The same seats over and over, until there are `count`: more workers than CPUs, which then share them.
  topology repeated(std::size_t count) const;

  std::size_t size() const noexcept { return seats_.size(); }
  std::span<const seat> seats() const noexcept { return seats_; }
  const seat& operator[](std::size_t index) const noexcept { return seats_[index]; }

  // The CPUs of the seats of `node`, those among them that first() has cut off, too.
  // Throws: std::bad_alloc.
  std::vector<int> cpus_of_node(int node) const;

  // How far seat `i` is from seat `j`: 0 the same, 1 one last-level cache, 2 one NUMA node, 3 the machine.
  int distance(std::size_t i, std::size_t j) const noexcept;

  // All other seats, nearest first; an SMT sibling comes before the rest of its cache. Equals follow each
  // other round from i + 1, so that the lists of different seats do not all start with the same victim.
  std::vector<std::size_t> neighbours(std::size_t i) const;

 private:
  explicit topology(std::vector<seat> seats) : seats_(seats), machine_(std::move(seats)) {}

  std::vector<seat> seats_;
  std::vector<seat> machine_;  // All that there were.
};

}  // namespace weft::inline v0::detail
