// Systems whose threads cannot be pinned by a portable call.
#include <algorithm>
#include <cerrno>
#include <thread>

#include "platform/thread.h"

namespace weft::inline v0::detail {

int pin_this_thread(std::span<const int> cpus) noexcept { return cpus.empty() ? EINVAL : ENOTSUP; }

int unpin_this_thread() noexcept { return ENOTSUP; }

cpu_set current_affinity() { return {}; }

const cpu_set& original_affinity() {
  // Never destroyed: a static object's destructor may still ask.
  static const cpu_set& remembered = *new cpu_set([] {
    cpu_set cpus;
    const unsigned count = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned cpu = 0; cpu < count; ++cpu) cpus.push_back(static_cast<int>(cpu));
    return cpus;
  }());
  return remembered;
}

}  // namespace weft::inline v0::detail
