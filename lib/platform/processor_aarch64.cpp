#include <fcntl.h>

#include <cstdint>

#include "platform/system_calls.h"
#include "platform/thread.h"

namespace weft::inline v0::detail {

bool under_hypervisor() noexcept {
  // No instruction of user mode tells; the device tree of a guest has this node, and Xen and s390 have the other.
  static const bool answer = [] {
    for (const char* path : {"/proc/device-tree/hypervisor", "/sys/hypervisor/type"}) {
      const int fd = sys().open(path, O_RDONLY | O_CLOEXEC, 0);
      if (fd >= 0) {
        sys().close(fd);
        return true;
      }
    }
    return false;
  }();
  return answer;
}

void set_default_float_control() noexcept { set_float_control(0); }  // Round to nearest, no traps, denormals kept.

std::uint64_t float_control() noexcept {
  std::uint64_t control = 0;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(control));
  return control;
}

void set_float_control(std::uint64_t control) noexcept { __asm__ __volatile__("msr fpcr, %0" : : "r"(control)); }

}  // namespace weft::inline v0::detail
