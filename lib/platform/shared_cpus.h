// Which CPUs more than one runtime of this process has workers on: workers that share a CPU must not spin.
#pragma once

#include "platform/topology.h"

#include <vector>

namespace weft::inline v0::detail {

class shared_cpus {
 public:
  shared_cpus() = default;
  ~shared_cpus();
  shared_cpus(const shared_cpus&) = delete;
  shared_cpus& operator=(const shared_cpus&) = delete;

  // Counts one worker on each seat's CPU until destruction.
  void claim(const topology& seats);

  // Whether any of the claimed CPUs has another worker by now.
  bool are_shared() const noexcept;

 private:
  std::vector<int> claimed_;
};

}  // namespace weft::inline v0::detail
