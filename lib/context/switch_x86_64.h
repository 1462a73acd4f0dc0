// The native switch for x86-64 (System V). See switch.h.
//
// It is inlined into its caller, and names every register but rsp and rbp as changed: the compiler saves what is alive
// there and nothing else. What it saves itself lies on the stack, the resumption address on top:
//
//   saved_context ->  address to go on at
//                     rbp
//                     128 bytes that the caller may use without having moved rsp (the red zone)
//
// The address is jumped to, not returned to: a return would be predicted from the wrong stack every time. An indirect
// jump is no target that indirect-branch tracking accepts without a mark, hence endbr64 where that is compiled in. Shadow
// stacks are not supported: build with context=boost for those.
#pragma once

#include <weft/detail/config.h>

#include <cstddef>

namespace weft::inline v0::detail {

using saved_context = void*;

// What the resumed side sees: where it came from, and the word it was handed.
struct arrival {
  saved_context from;
  void* message;
};

// What `entry` is called with, in rdi and rsi.
using transfer = arrival;
using context_entry = void (*)(transfer);

WEFT_ALWAYS_INLINE arrival arrived(transfer in) noexcept { return in; }

#if defined(__CET__) && (__CET__ & 1) != 0
#define WEFT_LANDING "endbr64\n\t"
#else
#define WEFT_LANDING
#endif

#ifdef __AVX512F__
#define WEFT_AVX512_CHANGED                                                                                     \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", \
      "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define WEFT_AVX512_CHANGED
#endif

#define WEFT_CHANGED                                                                                              \
  "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", \
      "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",  \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory" WEFT_AVX512_CHANGED

WEFT_ALWAYS_INLINE arrival switch_to(saved_context to, void* message) noexcept {
  void* from;
  __asm__ __volatile__(
      "leaq -128(%%rsp), %%rsp\n\t"
      "pushq %%rbp\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "movq %%rsp, %%rax\n\t"
      "movq %%rdi, %%rsp\n\t"
      "popq %%rcx\n\t"
      "jmpq *%%rcx\n"
      "1:\n\t" WEFT_LANDING
      "popq %%rbp\n\t"
      "leaq 128(%%rsp), %%rsp"
      : "=&a"(from), "+S"(message), "+D"(to)
      :
      : "rcx", "rdx", WEFT_CHANGED);
  return {from, message};
}

// The return address of the entry is null: there stack walkers stop.
WEFT_ALWAYS_INLINE arrival start(std::byte* top, std::size_t, context_entry entry, void* message) noexcept {
  void* from;
  __asm__ __volatile__(
      "leaq -128(%%rsp), %%rsp\n\t"
      "pushq %%rbp\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "movq %%rsp, %%rdi\n\t"
      "movq %%rdx, %%rsp\n\t"
      "pushq $0\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "jmpq *%%rcx\n"
      "1:\n\t" WEFT_LANDING
      "popq %%rbp\n\t"
      "leaq 128(%%rsp), %%rsp"
      : "=&a"(from), "+S"(message), "+d"(top), "+c"(entry)
      :
      : "rdi", WEFT_CHANGED);
  return {from, message};
}

[[noreturn]] WEFT_ALWAYS_INLINE void exit_to(saved_context to, void* message) noexcept {
  __asm__ __volatile__(
      "movq %%rdi, %%rsp\n\t"
      "popq %%rcx\n\t"
      "jmpq *%%rcx"
      :
      : "D"(to), "S"(message), "a"(nullptr)
      : "rcx", "memory");
  __builtin_unreachable();
}

[[noreturn]] WEFT_ALWAYS_INLINE void exit_to_start(std::byte* top, std::size_t, context_entry entry,
                                                   void* message) noexcept {
  __asm__ __volatile__(
      "movq %%rdx, %%rsp\n\t"
      "pushq $0\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "jmpq *%%rcx"
      :
      : "d"(top), "c"(entry), "S"(message), "D"(nullptr)
      : "memory");
  __builtin_unreachable();
}

#undef WEFT_LANDING
#undef WEFT_AVX512_CHANGED
#undef WEFT_CHANGED

}  // namespace weft::inline v0::detail
