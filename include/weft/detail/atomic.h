// The atomics gate: every atomic of weft goes through these names, so that a model checker can stand in for
// them (define WEFT_MODEL_CHECK and put its weft/mc/atomic.h on the include path).
#pragma once

#ifdef WEFT_MODEL_CHECK
#include <weft/mc/atomic.h>
#else
#include <atomic>

#include <weft/detail/config.h>
#ifdef WEFT_CHAOS
#include <weft/detail/chaos_atomic.h>
#endif

namespace weft::inline v0::detail {

#ifdef WEFT_CHAOS
template <class T>
using atomic = chaos_atomic<T>;
#else
template <class T>
using atomic = std::atomic<T>;
#endif

using std::memory_order;
inline constexpr memory_order relaxed = std::memory_order_relaxed;
inline constexpr memory_order acquire = std::memory_order_acquire;
inline constexpr memory_order release = std::memory_order_release;
inline constexpr memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr memory_order seq_cst = std::memory_order_seq_cst;

// A sequentially consistent fence. On x86-64 a locked no-op on the stack costs 2.3 ns where clang's `mfence`
// costs 19; ThreadSanitizer does not understand fences, so there the fence is a read-modify-write it can see.
WEFT_ALWAYS_INLINE void full_fence() noexcept {
#if defined(WEFT_TSAN)
  static std::atomic<int> point{0};
  point.fetch_add(0, std::memory_order_seq_cst);
#elif defined(__x86_64__)
  __asm__ __volatile__("lock; orl $0, -8(%%rsp)" ::: "memory", "cc");
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

// Completes a sequentially consistent read-modify-write to a full fence: on x86-64 it is one already.
WEFT_ALWAYS_INLINE void fence_after_exchange() noexcept {
#if defined(__x86_64__) && !defined(WEFT_TSAN)
  __asm__ __volatile__("" ::: "memory");
#else
  full_fence();
#endif
}

// A release fence: whoever sees a store behind it, and then does a full fence, sees what was stored before it. On x86-64
// stores are seen in their order anyway.
WEFT_ALWAYS_INLINE void release_fence() noexcept {
#if defined(__x86_64__)
  __asm__ __volatile__("" ::: "memory");
#elif defined(WEFT_TSAN)
  full_fence();
#else
  std::atomic_thread_fence(std::memory_order_release);
#endif
}

// A hint to the processor that this is a spin-wait loop.
WEFT_ALWAYS_INLINE void spin_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" ::: "memory");
#endif
}

}  // namespace weft::inline v0::detail
#endif
