#include <hwloc.h>

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "platform/thread.h"
#include "platform/topology.h"

#if HWLOC_API_VERSION < 0x00020000
#error "weft needs hwloc 2.0 or newer; without hwloc (-Dhwloc=disabled) the topology is flat"
#endif

namespace weft::inline v0::detail {
namespace {

struct destroy_tree {
  void operator()(hwloc_topology_t tree) const noexcept { hwloc_topology_destroy(tree); }
};
using tree_pointer = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, destroy_tree>;

tree_pointer empty_tree() {
  hwloc_topology_t tree = nullptr;
  return tree_pointer(hwloc_topology_init(&tree) == 0 ? tree : nullptr);
}

// What seats share the last cache of: the outermost cache above `unit`, or its package where caches are not known.
hwloc_obj_t cache_home(hwloc_obj_t unit) noexcept {
  hwloc_obj_t home = nullptr;
  for (hwloc_obj_t above = unit->parent; above != nullptr; above = above->parent) {
    if (hwloc_obj_type_is_dcache(above->type) != 0) home = above;
    if (above->type == HWLOC_OBJ_PACKAGE && home == nullptr) home = above;
  }
  return home;
}

// Numbers things from 0 in the order in which they are first seen.
template <class Key>
class numbering {
 public:
  int operator()(const Key& key) { return numbers_.try_emplace(key, static_cast<int>(numbers_.size())).first->second; }

 private:
  std::map<Key, int> numbers_;
};

// The seats of `units`, which stand in the tree's own order (neighbours together).
std::vector<seat> seats_of(hwloc_topology_t tree, const std::vector<hwloc_obj_t>& units, bool pinned) {
  struct ranked {
    int sibling;  // How many hardware threads of its core come before it.
    seat place;
  };
  numbering<int> nodes;
  numbering<hwloc_obj_t> caches;
  numbering<hwloc_obj_t> cores;
  std::map<int, int> threads_seen;
  std::vector<ranked> all;
  for (hwloc_obj_t unit : units) {
    const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(tree, HWLOC_OBJ_CORE, unit);
    seat place{};
    place.os_index = pinned ? static_cast<int>(unit->os_index) : -1;
    place.node = nodes(unit->nodeset != nullptr ? hwloc_bitmap_first(unit->nodeset) : 0);
    place.cache_group = caches(cache_home(unit));
    place.physical_core = cores(core != nullptr ? core : unit);
    all.push_back({threads_seen[place.physical_core]++, place});
  }
  std::stable_sort(all.begin(), all.end(), [](const ranked& a, const ranked& b) { return a.sibling < b.sibling; });
  std::vector<seat> seats;
  for (const ranked& one : all) seats.push_back(one.place);
  return seats;
}

// The machine as hwloc sees it, or nothing when it does not see all of `cpus`.
std::optional<std::vector<seat>> detected_seats(const cpu_set& cpus) {
  const tree_pointer tree = empty_tree();
  if (tree == nullptr) return std::nullopt;
#if defined(__linux__) && HWLOC_API_VERSION >= 0x00020100
  // The kernel tells all that is wanted; the x86 component would move this thread over every CPU to ask each.
  hwloc_topology_set_components(tree.get(), HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
#endif
  // Another system: an environment variable of hwloc's replaced the machine by a description.
  if (hwloc_topology_load(tree.get()) != 0 || hwloc_topology_is_thissystem(tree.get()) == 0) {
    return std::nullopt;
  }
  std::vector<hwloc_obj_t> units;
  for (const int cpu : cpus) {
    const hwloc_obj_t unit = hwloc_get_pu_obj_by_os_index(tree.get(), static_cast<unsigned>(cpu));
    if (unit == nullptr) return std::nullopt;
    units.push_back(unit);
  }
  std::sort(units.begin(), units.end(),
            [](hwloc_obj_t a, hwloc_obj_t b) { return a->logical_index < b->logical_index; });
  return seats_of(tree.get(), units, true);
}

}  // namespace

topology topology::detect() {
  const cpu_set& cpus = original_affinity();
  if (std::optional<std::vector<seat>> seats = detected_seats(cpus)) return topology(std::move(*seats));
  return flat(cpus);
}

topology topology::synthetic(std::string_view description) {
  const std::string text(description);
  const tree_pointer tree = empty_tree();
  if (tree == nullptr) throw std::bad_alloc();
  // A zero byte would cut the description short unseen.
  if (text.find('\0') != std::string::npos || hwloc_topology_set_synthetic(tree.get(), text.c_str()) != 0 ||
      hwloc_topology_load(tree.get()) != 0) {
    throw std::invalid_argument("weft: topology \"" + text +
                                "\": hwloc does not take it as a synthetic description "
                                "(such as \"node:2 l3:2 core:4 pu:2\")");
  }
  std::vector<hwloc_obj_t> units;
  for (hwloc_obj_t unit = nullptr; (unit = hwloc_get_next_obj_by_type(tree.get(), HWLOC_OBJ_PU, unit)) != nullptr;) {
    units.push_back(unit);
  }
  return topology(seats_of(tree.get(), units, false));
}

}  // namespace weft::inline v0::detail
