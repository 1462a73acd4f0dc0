// The CPUs that the threads of a runtime get.
#include "platform/thread.h"
#include "platform/topology.h"
#include "support/with_cores.h"

#ifdef __linux__
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace weft_test;
using weft::detail::cpu_set;
using weft::detail::current_affinity;
using weft::detail::original_affinity;
using weft::detail::topology;

namespace {

weft::options pinned_to(weft::pinning what) {
  weft::options wanted;
  wanted.cores = 1;
  wanted.pin = what;
  return wanted;
}

// How many CPUs the threads with this name have, in ascending order.
std::vector<int> cpus_of_threads(const std::string& name) {
  std::vector<int> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "comm");
    std::string its_name;
    std::getline(file, its_name);
    cpu_set_t cpus;
    const int id = std::atoi(task.path().filename().c_str());
    if (its_name == name && sched_getaffinity(id, sizeof cpus, &cpus) == 0) found.push_back(CPU_COUNT(&cpus));
  }
  std::sort(found.begin(), found.end());
  return found;
}

const int all_cpus = static_cast<int>(original_affinity().size());

}  // namespace

TEST(pinning, core_is_one_cpu) {
  EXPECT_EQ(weft::run(pinned_to(weft::pinning::core), current_affinity), cpu_set{topology::detect()[0].os_index});
}

TEST(pinning, node_is_all_cpus_of_it_however_few_cores_are_used) {
  const topology machine = topology::detect();
  EXPECT_EQ(weft::run(pinned_to(weft::pinning::node), current_affinity), machine.cpus_of_node(machine[0].node));
}

TEST(pinning, none_leaves_the_cpus_of_the_thread_that_makes_the_runtime) {
  const cpu_set mine = current_affinity();
  EXPECT_EQ(weft::run(pinned_to(weft::pinning::none), current_affinity), mine);
}

TEST(pinning, none_is_all_cpus_where_a_pinned_fiber_makes_the_runtime) {
  weft::run(pinned_to(weft::pinning::core), [] {
    weft::runtime inner(pinned_to(weft::pinning::none));
    EXPECT_EQ(inner.spawn(current_affinity).join(), original_affinity());
    EXPECT_TRUE(eventually([] { return cpus_of_threads("weft-r0") == std::vector{1, all_cpus}; }));
  });
}

TEST(pinning, leaves_monitors_alone) {
  weft::run(pinned_to(weft::pinning::core), [] {
    const weft::runtime inner(pinned_to(weft::pinning::core));
    EXPECT_TRUE(eventually([] { return cpus_of_threads("weft-monitor") == std::vector{all_cpus, all_cpus}; }));
  });
}
#endif
