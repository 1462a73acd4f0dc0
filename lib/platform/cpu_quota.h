// How much CPU time the process may use, in CPUs.
#pragma once

#include <cstddef>
#include <string_view>

namespace weft::inline v0::detail {

// The smallest limit on CPU time of the process's control group and of all groups above it that can be seen, from
// cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us). `root` goes before every path that is read, so that a test can bring
// its own /proc and /sys; it has no trailing slash.
// Returns: CPUs, possibly a fraction, > 0; infinity when there is no limit or none can be read.
// Blocks: thread, for a few small reads from /proc and /sys.
double cgroup_cpu_quota(std::string_view root = {});

// How many CPUs are worth a worker: the `cpus` that may be used, or fewer when the quota `quota` (rounded up)
// is less. At least 1.
std::size_t usable_cpus(std::size_t cpus, double quota) noexcept;

// The same of original_affinity() and cgroup_cpu_quota().
std::size_t usable_cpus();

}  // namespace weft::inline v0::detail
