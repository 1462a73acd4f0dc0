#include <sched.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <thread>

#include "platform/system_calls.h"
#include "platform/thread.h"

namespace weft::inline v0::detail {
namespace {

// The kernel's mask is an array of longs whose length the caller chooses. The libc type stops at 1024 CPUs;
// this one is as long as the largest kernel configuration asks for.
constexpr int word_bits = sizeof(unsigned long) * CHAR_BIT;
constexpr int most_cpus = 8192;

struct cpu_mask {
  unsigned long words[most_cpus / word_bits] = {};

  cpu_set_t* native() noexcept { return reinterpret_cast<cpu_set_t*>(words); }
};

}  // namespace

int pin_this_thread(std::span<const int> cpus) noexcept {
  cpu_mask mask;
  for (const int cpu : cpus) {
    if (cpu < 0 || cpu >= most_cpus) continue;
    mask.words[cpu / word_bits] |= 1ul << (cpu % word_bits);
  }
  // The kernel itself refuses a mask without a usable CPU.
  return -sys().sched_setaffinity(0, sizeof(mask.words), mask.native());
}

int unpin_this_thread() noexcept { return pin_this_thread(original_affinity()); }

cpu_set current_affinity() {
  cpu_mask mask;
  if (sys().sched_getaffinity(0, sizeof(mask.words), mask.native()) < 0) return {};
  cpu_set cpus;
  for (int index = 0; index < most_cpus / word_bits; ++index) {
    for (unsigned long rest = mask.words[index]; rest != 0; rest &= rest - 1) {
      cpus.push_back(index * word_bits + std::countr_zero(rest));
    }
  }
  return cpus;
}

const cpu_set& original_affinity() {
  // Never destroyed: a static object's destructor may still ask.
  static const cpu_set& remembered = *new cpu_set([] {
    cpu_set cpus = current_affinity();
    if (cpus.empty()) {
      const unsigned count = std::max(1u, std::thread::hardware_concurrency());
      for (unsigned cpu = 0; cpu < count; ++cpu) cpus.push_back(static_cast<int>(cpu));
    }
    return cpus;
  }());
  return remembered;
}

}  // namespace weft::inline v0::detail
