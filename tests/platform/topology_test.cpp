#include "platform/topology.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "platform/thread.h"

namespace {

using namespace weft::detail;

TEST(topology, detects_every_cpu_of_the_process_once) {
  const topology machine = topology::detect();
  std::vector<int> cpus;
  for (const seat& place : machine.seats()) cpus.push_back(place.os_index);
  std::sort(cpus.begin(), cpus.end());
  EXPECT_EQ(cpus, original_affinity());
}

TEST(topology, flat_has_equal_seats) {
  const int cpus[] = {4, 9, 2};
  const topology machine = topology::flat(cpus);
  ASSERT_EQ(machine.size(), 3u);
  EXPECT_EQ(machine[1].os_index, 9);
  EXPECT_EQ(machine.distance(0, 0), 0);
  EXPECT_EQ(machine.distance(0, 2), 1);
  EXPECT_NE(machine[0].physical_core, machine[1].physical_core);
  EXPECT_EQ(machine.neighbours(1), (std::vector<std::size_t>{2, 0}));
}

TEST(topology, flat_of_nothing_is_refused) { EXPECT_THROW(topology::flat({}), std::invalid_argument); }

TEST(topology, first_keeps_the_first_seats_and_at_least_one) {
  const int cpus[] = {4, 9, 2};
  const topology machine = topology::flat(cpus);
  EXPECT_EQ(machine.first(2).size(), 2u);
  EXPECT_EQ(machine.first(2)[1].os_index, 9);
  EXPECT_EQ(machine.first(0).size(), 1u);
  EXPECT_EQ(machine.first(7).size(), 3u);
}

TEST(topology, first_cuts_no_cpus_off_their_node) {
  const int cpus[] = {4, 9, 2};
  const topology machine = topology::flat(cpus);
  EXPECT_EQ(machine.first(1).cpus_of_node(0), (cpu_set{2, 4, 9}));
  EXPECT_EQ(machine.repeated(5).first(2).cpus_of_node(0), (cpu_set{2, 4, 9}));
  EXPECT_EQ(machine.cpus_of_node(1), cpu_set{});
}

#ifdef WEFT_HAS_HWLOC

TEST(topology, synthetic_spells_out_every_hardware_thread) {
  const topology machine = topology::synthetic("node:2 l3:2 core:4 pu:2");
  ASSERT_EQ(machine.size(), 32u);
  std::set<int> nodes;
  std::set<int> caches;
  std::set<int> cores;
  for (const seat& place : machine.seats()) {
    EXPECT_EQ(place.os_index, -1);
    nodes.insert(place.node);
    caches.insert(place.cache_group);
    cores.insert(place.physical_core);
  }
  EXPECT_EQ(nodes.size(), 2u);
  EXPECT_EQ(caches.size(), 4u);
  EXPECT_EQ(cores.size(), 16u);
}

TEST(topology, uses_each_physical_core_before_any_sibling) {
  const topology machine = topology::synthetic("node:2 l3:2 core:4 pu:2");
  std::set<int> cores;
  for (std::size_t index = 0; index < 16; ++index) cores.insert(machine[index].physical_core);
  EXPECT_EQ(cores.size(), 16u);
  EXPECT_EQ(machine[0].cache_group, machine[3].cache_group);
  EXPECT_NE(machine[0].cache_group, machine[4].cache_group);
}

TEST(topology, distance_follows_cache_node_and_machine) {
  const topology machine = topology::synthetic("node:2 l3:2 core:4 pu:2");
  EXPECT_EQ(machine.distance(5, 5), 0);
  EXPECT_EQ(machine.distance(0, 3), 1);
  EXPECT_EQ(machine.distance(0, 16), 1) << "its SMT sibling";
  EXPECT_EQ(machine.distance(0, 4), 2);
  EXPECT_EQ(machine.distance(0, 8), 3);
  for (std::size_t i = 0; i < machine.size(); ++i) {
    for (std::size_t j = 0; j < machine.size(); ++j) EXPECT_EQ(machine.distance(i, j), machine.distance(j, i));
  }
}

TEST(topology, neighbours_come_nearest_first_and_all_once) {
  const topology machine = topology::synthetic("node:2 l3:2 core:4 pu:2");
  for (std::size_t i = 0; i < machine.size(); ++i) {
    const std::vector<std::size_t> order = machine.neighbours(i);
    EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), machine.size() - 1);
    EXPECT_EQ(machine[order.front()].physical_core, machine[i].physical_core);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return machine.distance(i, a) < machine.distance(i, b);
    }));
  }
}

TEST(topology, equals_take_turns_as_the_first_neighbour) {
  const topology machine = topology::synthetic("l3:1 core:8 pu:1");
  std::set<std::size_t> firsts;
  for (std::size_t i = 0; i < machine.size(); ++i) firsts.insert(machine.neighbours(i).front());
  EXPECT_EQ(firsts.size(), machine.size());
}

TEST(topology, without_caches_a_package_is_the_group) {
  const topology machine = topology::synthetic("package:2 core:2 pu:1");
  EXPECT_EQ(machine.distance(0, 1), 1);
  EXPECT_GT(machine.distance(0, 2), 1);
}

TEST(topology, a_big_machine_is_no_trouble) {
  const topology machine = topology::synthetic("node:4 l3:4 core:8 pu:2");
  EXPECT_EQ(machine.size(), 256u);
  EXPECT_EQ(machine.neighbours(255).size(), 255u);
}

TEST(topology, a_synthetic_one_maps_onto_real_cpus) {
  const int cpus[] = {3, 5};
  const topology machine = topology::synthetic("core:4 pu:1").mapped_onto(cpus);
  EXPECT_EQ(machine[0].os_index, 3);
  EXPECT_EQ(machine[1].os_index, 5);
  EXPECT_EQ(machine[2].os_index, 3);
}

TEST(topology, a_node_has_its_own_cpus) {
  const int cpus[] = {10, 11, 12, 13};
  const topology machine = topology::synthetic("node:2 core:2 pu:1").mapped_onto(cpus).first(3);
  EXPECT_EQ(machine.cpus_of_node(machine[0].node), (cpu_set{10, 11}));
  EXPECT_EQ(machine.cpus_of_node(machine[2].node), (cpu_set{12, 13}));
}

TEST(topology, a_bad_description_is_named) {
  for (const char* bad : {"", "rubbish", "core:0 pu:2", "node:2 core:x", "core:4 pu:"}) {
    try {
      topology::synthetic(bad);
      ADD_FAILURE() << "taken: " << bad;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find('"' + std::string(bad) + '"'), std::string::npos) << error.what();
    }
  }
  using namespace std::string_view_literals;
  EXPECT_THROW(topology::synthetic("core:2 pu:1\0core:4"sv), std::invalid_argument);
}

TEST(topology, a_description_in_the_environment_is_not_taken_for_the_machine) {
  const topology before = topology::detect();
  setenv("HWLOC_SYNTHETIC", "node:64 core:1 pu:1", 1);
  const topology machine = topology::detect();
  unsetenv("HWLOC_SYNTHETIC");
  ASSERT_EQ(machine.size(), before.size());
  for (const seat& place : machine.seats()) EXPECT_EQ(place.node, 0) << "flat, as nothing is known";
}

#else

TEST(topology, synthetic_without_hwloc_is_refused_by_name) {
  EXPECT_THROW(topology::synthetic("core:4 pu:1"), std::invalid_argument);
}

#endif

}  // namespace
