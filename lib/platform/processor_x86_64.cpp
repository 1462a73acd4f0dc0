#include <cpuid.h>

#include <cstdint>

#include "platform/thread.h"

namespace weft::inline v0::detail {

bool under_hypervisor() noexcept {
  // Asked once: in a guest the instruction itself is a costly way out to the host.
  static const bool answer = [] {
    constexpr unsigned hypervisor_bit = 1u << 31;  // Leaf 1, ECX: always 0 on bare processors.
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & hypervisor_bit) != 0;
  }();
  return answer;
}

void set_default_float_control() noexcept {
  constexpr std::uint64_t sse = 0x1F80;  // All exceptions masked, round to nearest, denormals kept.
  constexpr std::uint64_t x87 = 0x037F;  // The same, with 64 bits of precision.
  set_float_control(x87 << 32 | sse);
}

std::uint64_t float_control() noexcept {
  std::uint32_t sse = 0;
  std::uint16_t x87 = 0;
  __asm__ __volatile__("stmxcsr %0\n\tfnstcw %1" : "=m"(sse), "=m"(x87));
  return std::uint64_t{x87} << 32 | sse;
}

void set_float_control(std::uint64_t control) noexcept {
  const auto sse = static_cast<std::uint32_t>(control);
  const auto x87 = static_cast<std::uint16_t>(control >> 32);
  __asm__ __volatile__("ldmxcsr %0\n\tfldcw %1" : : "m"(sse), "m"(x87));
}

}  // namespace weft::inline v0::detail
