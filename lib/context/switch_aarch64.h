// The native switch for AArch64. See switch.h.
//
// It is inlined into its caller, and names every register but sp and the frame pointer as changed: the compiler saves
// what is alive there and nothing else. Only where x18 belongs to the platform, it stays out: no compiler has a value in
// it. What the switch saves itself lies on the stack:
//
//   saved_context ->  frame pointer, address to go on at
//                     128 bytes that the caller may use without having moved sp, on systems with a red zone
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

// What `entry` is called with, in x0 and x1.
using transfer = arrival;
using context_entry = void (*)(transfer);

WEFT_ALWAYS_INLINE arrival arrived(transfer in) noexcept { return in; }

#define WEFT_LANDING "hint #36\n\t"  // A target of indirect jumps (bti j); does nothing where that is not checked.

#if defined(__APPLE__) || defined(__ANDROID__) || defined(__Fuchsia__) || defined(_WIN32)
#define WEFT_PLATFORM_REGISTER  // x18 is reserved.
#else
#define WEFT_PLATFORM_REGISTER "x18",
#endif

#if !defined(__ARM_FEATURE_SVE)
#define WEFT_PREDICATES
#else
#ifdef __clang__
#define WEFT_FIRST_FAULT  // clang has no name for it here.
#else
#define WEFT_FIRST_FAULT "ffr",
#endif
#define WEFT_PREDICATES \
  "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15", WEFT_FIRST_FAULT
#endif

// Without those that the verbs hand over. v0 stands for z0, too, and so on.
#define WEFT_CHANGED                                                                                                   \
  WEFT_PLATFORM_REGISTER WEFT_PREDICATES "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", \
      "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3",      \
      "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", \
      "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "cc", "memory"

WEFT_ALWAYS_INLINE arrival switch_to(saved_context to, void* message) noexcept {
  register void* from_or_to __asm__("x0") = to;
  register void* word __asm__("x1") = message;
  __asm__ __volatile__(
      "adr x10, 1f\n\t"
      "sub sp, sp, #128\n\t"
      "stp x29, x10, [sp, #-16]!\n\t"
      "mov x9, x0\n\t"
      "mov x0, sp\n\t"
      "mov sp, x9\n\t"
      "ldp x29, x10, [sp], #16\n\t"
      "br x10\n"
      "1:\n\t" WEFT_LANDING "add sp, sp, #128"
      : "+r"(from_or_to), "+r"(word)
      :
      : "x2", "x3", "x16", WEFT_CHANGED);
  return {from_or_to, word};
}

// Frame pointer and return address of the entry are null: there stack walkers stop. The entry is a function, and where
// targets of indirect jumps are checked, those of functions take a jump by x16 or x17 only.
WEFT_ALWAYS_INLINE arrival start(std::byte* top, std::size_t, context_entry entry, void* message) noexcept {
  register void* from __asm__("x0") = nullptr;
  register void* word __asm__("x1") = message;
  register std::byte* stack __asm__("x2") = top;
  register context_entry target __asm__("x16") = entry;
  __asm__ __volatile__(
      "adr x10, 1f\n\t"
      "sub sp, sp, #128\n\t"
      "stp x29, x10, [sp, #-16]!\n\t"
      "mov x0, sp\n\t"
      "mov sp, x2\n\t"
      "mov x29, xzr\n\t"
      "mov x30, xzr\n\t"
      "br x16\n"
      "1:\n\t" WEFT_LANDING "add sp, sp, #128"
      : "+r"(from), "+r"(word), "+r"(stack), "+r"(target)
      :
      : "x3", WEFT_CHANGED);
  return {from, word};
}

[[noreturn]] WEFT_ALWAYS_INLINE void exit_to(saved_context to, void* message) noexcept {
  register void* from __asm__("x0") = nullptr;
  register void* word __asm__("x1") = message;
  register void* stack __asm__("x2") = to;
  __asm__ __volatile__(
      "mov sp, x2\n\t"
      "ldp x29, x10, [sp], #16\n\t"
      "br x10"
      :
      : "r"(from), "r"(word), "r"(stack)
      : "x10", "memory");
  __builtin_unreachable();
}

[[noreturn]] WEFT_ALWAYS_INLINE void exit_to_start(std::byte* top, std::size_t, context_entry entry,
                                                   void* message) noexcept {
  register void* from __asm__("x0") = nullptr;
  register void* word __asm__("x1") = message;
  register std::byte* stack __asm__("x2") = top;
  register context_entry target __asm__("x16") = entry;
  __asm__ __volatile__(
      "mov sp, x2\n\t"
      "mov x29, xzr\n\t"
      "mov x30, xzr\n\t"
      "br x16"
      :
      : "r"(from), "r"(word), "r"(stack), "r"(target)
      : "memory");
  __builtin_unreachable();
}

#undef WEFT_LANDING
#undef WEFT_CHANGED
#undef WEFT_PREDICATES
#undef WEFT_FIRST_FAULT
#undef WEFT_PLATFORM_REGISTER

}  // namespace weft::inline v0::detail
