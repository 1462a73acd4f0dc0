#include "context/sanitizer.h"

#if defined(WEFT_ASAN) || defined(WEFT_TSAN) || defined(WEFT_VALGRIND)

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <weft/detail/atomic.h>

#include "platform/spin_lock.h"
#include "platform/system_calls.h"

#ifdef WEFT_VALGRIND
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#endif

namespace weft::inline v0::detail {

#ifdef WEFT_TSAN
namespace {

// What the runtimes survive, measured, less room for threads and for the dead that they keep for a while: g++ 12's ends
// at 8128 fibers and threads, clang 14's at about 32 500.
#ifdef __clang__
constexpr long default_fiber_limit = 32000;
#else
constexpr long default_fiber_limit = 7900;
#endif

struct tsan_identity {
  void* fiber;
  unsigned uses;
};

// A new identity costs up to a millisecond and a megabyte, so some are kept for the next stack. What was ordered before
// an identity's last use then counts as ordered before its next: a race may be missed, none is invented.
constexpr unsigned max_kept = 512;
// Frames that are never returned from stay on an identity's shadow stack of 65 536 entries.
constexpr unsigned max_uses = 1000;

spin_lock kept_lock;  // Guards the next two.
tsan_identity kept[max_kept];
unsigned kept_count = 0;

atomic<long> tsan_fibers{0};

long fiber_limit() noexcept {
  const char* const text = std::getenv("WEFT_TSAN_FIBER_LIMIT");
  long const value = text != nullptr ? std::atol(text) : 0;
  return value > 0 ? value : default_fiber_limit;
}

// The runtime of the sanitizer would die of a failed internal check, which names neither cause nor limit.
void count_fiber() noexcept {
  long const limit = fiber_limit();
  if (tsan_fibers.fetch_add(1, relaxed) < limit) return;  // A count only.
  char text[256];
  int const size = std::snprintf(text, sizeof text,
                                 "weft: ThreadSanitizer cannot follow more than %ld started fibers at once; run "
                                 "fewer, or set WEFT_TSAN_FIBER_LIMIT if its runtime carries more\n",
                                 limit);
  sys().write(2, text, static_cast<std::size_t>(size));
  std::abort();
}

tsan_identity obtain() noexcept {
  {
    std::lock_guard const hold(kept_lock);
    if (kept_count != 0) return kept[--kept_count];
  }
  count_fiber();
  return {__tsan_create_fiber(0), 0};
}

void dispose(tsan_identity identity) noexcept {
  if (identity.uses < max_uses) {
    std::lock_guard const hold(kept_lock);
    if (kept_count < max_kept) {
      kept[kept_count++] = identity;
      return;
    }
  }
  __tsan_destroy_fiber(identity.fiber);
  tsan_fibers.fetch_sub(1, relaxed);
}

}  // namespace
#endif

void create_identity(sanitizer_identity& identity, [[maybe_unused]] const void* low,
                     [[maybe_unused]] std::size_t bytes) noexcept {
  identity = {};
#ifdef WEFT_ASAN
  identity.low = low;
  identity.bytes = bytes;
#endif
#ifdef WEFT_TSAN
  tsan_identity const obtained = obtain();
  identity.tsan_fiber = obtained.fiber;
  identity.tsan_uses = obtained.uses + 1;
  __tsan_set_fiber_name(identity.tsan_fiber, "fiber");
#endif
#ifdef WEFT_VALGRIND
  VALGRIND_MAKE_MEM_UNDEFINED(low, bytes);
  identity.valgrind_stack = VALGRIND_STACK_REGISTER(low, static_cast<const char*>(low) + bytes);
#endif
}

void destroy_identity(sanitizer_identity& identity) noexcept {
#ifdef WEFT_ASAN
  __asan_unpoison_memory_region(identity.low, identity.bytes);
#endif
#ifdef WEFT_TSAN
  dispose({identity.tsan_fiber, identity.tsan_uses});
#endif
#ifdef WEFT_VALGRIND
  VALGRIND_STACK_DEREGISTER(identity.valgrind_stack);
#endif
  identity = {};
}

void name_identity([[maybe_unused]] sanitizer_identity& identity, [[maybe_unused]] const char* name) noexcept {
#ifdef WEFT_TSAN
  __tsan_set_fiber_name(identity.tsan_fiber, name);
#endif
}

void adopt_thread(sanitizer_identity& identity) noexcept {
  identity = {};
#ifdef WEFT_ASAN
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* low = nullptr;
    pthread_attr_getstack(&attributes, &low, &identity.bytes);
    identity.low = low;
    pthread_attr_destroy(&attributes);
  }
#endif
#ifdef WEFT_TSAN
  identity.tsan_fiber = __tsan_get_current_fiber();
#endif
}

}  // namespace weft::inline v0::detail

#endif
