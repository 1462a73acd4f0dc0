// What AddressSanitizer, ThreadSanitizer and valgrind must be told about stacks and switches. In a build with none of
// them the identity is empty and every function here is nothing.
//
// Protocol of a switch, in the one function that switches (marked WEFT_SWITCHES):
//   before_switch(leaving, target, for_good);  the jump, and no call in between;
//   after_switch(own identity);                first thing on the other side, also on a stack's first run.
// A stack gets its identity by create_identity() when it is taken for use and loses it by destroy_identity() after it
// was left for good and before it goes back to the pool.
#pragma once

#include <cstddef>

#include <weft/detail/config.h>

#ifdef WEFT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// For a function that holds a switch: ThreadSanitizer's own calls at its entry and exit would otherwise land
// on two fibers. always_inline functions carry it too, or the compiler refuses to inline them there.
#ifdef WEFT_TSAN
#define WEFT_SWITCHES __attribute__((no_sanitize("thread")))
#else
#define WEFT_SWITCHES
#endif

namespace weft::inline v0::detail {

struct sanitizer_identity {
#ifdef WEFT_ASAN
  void* fake_stack = nullptr;  // Of a stack that was left and will be resumed.
  const void* low = nullptr;
  std::size_t bytes = 0;
#endif
#ifdef WEFT_TSAN
  void* tsan_fiber = nullptr;
  unsigned tsan_uses = 0;
#endif
#ifdef WEFT_VALGRIND
  unsigned valgrind_stack = 0;
#endif
};

#if defined(WEFT_ASAN) || defined(WEFT_TSAN) || defined(WEFT_VALGRIND)

// Makes `identity` stand for the stack [low, low + bytes), about to be used. Under ThreadSanitizer the
// process ends with a message when WEFT_TSAN_FIBER_LIMIT (environment; the default is what the runtime of the
// compiler survives) of them exist.
void create_identity(sanitizer_identity& identity, const void* low, std::size_t bytes) noexcept;

// Requires: the stack was left for good. Also clears what AddressSanitizer remembers of its frames.
void destroy_identity(sanitizer_identity& identity) noexcept;

// Names it in ThreadSanitizer's reports.
void name_identity(sanitizer_identity& identity, const char* name) noexcept;

// Makes `identity` stand for the calling thread and the stack it was started with. Nothing to destroy.
void adopt_thread(sanitizer_identity& identity) noexcept;

// Announces the jump from `leaving`, the current identity, to `target`. With `for_good` nothing will come
// back to `leaving` before it is destroyed.
WEFT_ALWAYS_INLINE WEFT_SWITCHES void before_switch([[maybe_unused]] sanitizer_identity& leaving,
                                                    [[maybe_unused]] const sanitizer_identity& target,
                                                    [[maybe_unused]] bool for_good) noexcept {
#ifdef WEFT_ASAN
  if (for_good) __asan_unpoison_memory_region(leaving.low, leaving.bytes);
  __sanitizer_start_switch_fiber(for_good ? nullptr : &leaving.fake_stack, target.low, target.bytes);
#endif
#ifdef WEFT_TSAN
  __tsan_switch_to_fiber(target.tsan_fiber, 0);
#endif
}

// Says that the jump has arrived on `arrived`.
WEFT_ALWAYS_INLINE WEFT_SWITCHES void after_switch([[maybe_unused]] sanitizer_identity& arrived) noexcept {
#ifdef WEFT_ASAN
  __sanitizer_finish_switch_fiber(arrived.fake_stack, nullptr, nullptr);
  arrived.fake_stack = nullptr;
#endif
}

#else

WEFT_ALWAYS_INLINE void create_identity(sanitizer_identity&, const void*, std::size_t) noexcept {}
WEFT_ALWAYS_INLINE void destroy_identity(sanitizer_identity&) noexcept {}
WEFT_ALWAYS_INLINE void name_identity(sanitizer_identity&, const char*) noexcept {}
WEFT_ALWAYS_INLINE void adopt_thread(sanitizer_identity&) noexcept {}
WEFT_ALWAYS_INLINE void before_switch(sanitizer_identity&, const sanitizer_identity&, bool) noexcept {}
WEFT_ALWAYS_INLINE void after_switch(sanitizer_identity&) noexcept {}

#endif

}  // namespace weft::inline v0::detail
