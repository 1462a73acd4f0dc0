// Room for many connections.
#pragma once

#include <sys/resource.h>

#include <algorithm>

// Raises the number of files that this process may have open, as far as it may do so itself.
inline void raise_descriptor_limit(rlim_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, wanted));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}
