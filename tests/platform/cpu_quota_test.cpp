#include "platform/cpu_quota.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "platform/thread.h"

namespace {

using namespace weft::detail;
namespace fs = std::filesystem;

// A /proc and a /sys of the test's own.
class cpu_quota : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "weft-quota-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void v2_process(const std::string& group, const std::string& top = "/") {
    put("/proc/self/cgroup", "0::" + group + "\n");
    put("/proc/self/mountinfo",
        "22 1 0:21 / /proc rw - proc proc rw\n"
        "30 23 0:26 " +
            top + " /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void v1_process(const std::string& group, const std::string& top = "/") {
    put("/proc/self/cgroup", "7:memory:/other\n4:cpu,cpuacct:" + group + "\n0::/\n");
    put("/proc/self/mountinfo",
        "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "32 30 0:28 " +
            top + " /sys/fs/cgroup/cpu rw shared:5 master:2 - cgroup cgroup rw,cpu,cpuacct\n");
  }
  double quota() const { return cgroup_cpu_quota(root_); }

  std::string root_;
};

constexpr double none = std::numeric_limits<double>::infinity();

TEST_F(cpu_quota, is_infinite_without_groups) {
  EXPECT_EQ(quota(), none);
  put("/proc/self/cgroup", "rubbish\n::\n\n0");
  put("/proc/self/mountinfo", "1 2 - cgroup2\n - - - - -\n");
  EXPECT_EQ(quota(), none);
}

TEST_F(cpu_quota, is_infinite_when_every_group_says_max) {
  v2_process("/a/b");
  put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), none);
}

TEST_F(cpu_quota, reads_the_own_group) {
  v2_process("/a/b");
  put("/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 1.5);
}

TEST_F(cpu_quota, is_the_least_of_all_ancestors) {
  v2_process("/a/b/c");
  put("/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 0.5);
}

TEST_F(cpu_quota, counts_the_mount_point_which_is_a_containers_own_group) {
  v2_process("/");
  put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 3);
}

TEST_F(cpu_quota, finds_a_group_below_a_mounted_part) {
  v2_process("/docker/1234/app", "/docker/1234");
  put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  put("/sys/fs/cgroup/app/cpu.max", "100000 50000\n");
  put("/sys/fs/cgroup/docker/1234/app/cpu.max", "1000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 2);
}

TEST_F(cpu_quota, does_not_mistake_a_longer_name_for_a_child) {
  v2_process("/docker/1234", "/docker/12");
  put("/sys/fs/cgroup/34/cpu.max", "1000 100000\n");
  put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 2) << "a foreign mount counts by itself when none fits";
}

TEST_F(cpu_quota, does_not_climb_out_of_the_mount) {
  v2_process("/../outside");
  put("/sys/fs/cgroup/cgroup.procs", "1\n");
  put("/sys/fs/outside/cpu.max", "1000 100000\n");
  EXPECT_EQ(quota(), none);
}

TEST_F(cpu_quota, reads_escaped_mount_points) {
  put("/proc/self/cgroup", "0::/a\n");
  put("/proc/self/mountinfo", "30 23 0:26 / /my\\040groups rw - cgroup2 none rw\n");
  put("/my groups/a/cpu.max", "250000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 2.5);
}

TEST_F(cpu_quota, of_version_1_is_the_least_of_all_ancestors) {
  v1_process("/jobs/one");
  put("/sys/fs/cgroup/cpu/jobs/one/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu/jobs/one/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", "25000\n");
  put("/sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us", "10000\n");
  EXPECT_DOUBLE_EQ(quota(), 2.5);
}

TEST_F(cpu_quota, of_version_1_ignores_other_controllers_and_broken_periods) {
  v1_process("/one");
  put("/sys/fs/cgroup/memory/other/cpu.cfs_quota_us", "1000\n");
  put("/sys/fs/cgroup/memory/other/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/cpu/one/cpu.cfs_quota_us", "1000\n");
  put("/sys/fs/cgroup/cpu/one/cpu.cfs_period_us", "0\n");
  put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "1000\n");
  EXPECT_EQ(quota(), none);
}

TEST_F(cpu_quota, looks_at_both_versions_where_both_are_mounted) {
  put("/proc/self/cgroup", "4:cpu,cpuacct:/old\n0::/new\n");
  put("/proc/self/mountinfo",
      "32 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
      "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  put("/sys/fs/cgroup/cpu/old/cpu.cfs_quota_us", "300000\n");
  put("/sys/fs/cgroup/cpu/old/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(quota(), 3);
  put("/sys/fs/cgroup/unified/new/cpu.max", "200000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 2);
}

TEST_F(cpu_quota, of_this_machine_is_positive) { EXPECT_GT(cgroup_cpu_quota(), 0); }

TEST(usable_cpus, is_the_lesser_of_cpus_and_quota_rounded_up) {
  EXPECT_EQ(usable_cpus(8, none), 8u);
  EXPECT_EQ(usable_cpus(8, 1.5), 2u);
  EXPECT_EQ(usable_cpus(8, 2.0), 2u);
  EXPECT_EQ(usable_cpus(2, 16.0), 2u);
  EXPECT_EQ(usable_cpus(8, 0.1), 1u);
  EXPECT_EQ(usable_cpus(0, none), 1u);
  EXPECT_GE(usable_cpus(), 1u);
  EXPECT_LE(usable_cpus(), original_affinity().size());
}

}  // namespace
