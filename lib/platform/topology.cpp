#include "platform/topology.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace weft::inline v0::detail {

topology topology::flat(std::span<const int> cpus) {
  if (cpus.empty()) throw std::invalid_argument("weft: topology: no CPU given");
  std::vector<seat> seats;
  for (const int cpu : cpus) {
    const int own_core = static_cast<int>(seats.size());
    seats.push_back({.os_index = cpu, .node = 0, .cache_group = 0, .physical_core = own_core});
  }
  return topology(std::move(seats));
}

topology topology::mapped_onto(std::span<const int> cpus) const {
  std::vector<seat> seats = seats_;
  for (std::size_t index = 0; index < seats.size(); ++index) seats[index].os_index = cpus[index % cpus.size()];
  return topology(std::move(seats));
}

topology topology::first(std::size_t count) const {
  topology result = *this;
  result.seats_.resize(std::clamp<std::size_t>(count, 1, size()));
  return result;
}

topology topology::repeated(std::size_t count) const {
  topology result = *this;
  result.seats_.clear();
  for (std::size_t i = 0; i < count; ++i) result.seats_.push_back(seats_[i % size()]);
  return result;
}

std::vector<int> topology::cpus_of_node(int node) const {
  std::vector<int> cpus;
  for (const seat& each : machine_) {
    if (each.node == node && each.os_index >= 0) cpus.push_back(each.os_index);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

int topology::distance(std::size_t i, std::size_t j) const noexcept {
  const seat& one = seats_[i];
  const seat& other = seats_[j];
  if (i == j) return 0;
  if (one.cache_group == other.cache_group) return 1;
  return one.node == other.node ? 2 : 3;
}

std::vector<std::size_t> topology::neighbours(std::size_t i) const {
  std::vector<std::size_t> others;
  for (std::size_t step = 1; step < size(); ++step) others.push_back((i + step) % size());
  // Stable: equals keep their order round from i + 1.
  std::stable_sort(others.begin(), others.end(), [&](std::size_t a, std::size_t b) {
    const auto rank = [&](std::size_t j) {
      return std::tuple(distance(i, j), seats_[j].physical_core != seats_[i].physical_core);
    };
    return rank(a) < rank(b);
  });
  return others;
}

}  // namespace weft::inline v0::detail
