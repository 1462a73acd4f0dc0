#include "platform/thread_exit.h"

#include <pthread.h>

#include <weft/detail/atomic.h>

namespace weft::inline v0::detail {

namespace {
using exit_function = void (*)(void*);

atomic<exit_function> registered{nullptr};  // The library registers one function only.

void run_at_exit(void* argument) {
  if (const exit_function call = registered.load(acquire)) call(argument);  // Pairs with at_thread_exit().
}

struct exit_key {
  pthread_key_t key{};
  bool valid;
  exit_key() noexcept : valid(pthread_key_create(&key, &run_at_exit) == 0) {}
};
}  // namespace

bool at_thread_exit(void (*at_exit)(void*), void* argument) noexcept {
  static const exit_key only;
  registered.store(at_exit, release);
  return only.valid && pthread_setspecific(only.key, argument) == 0;
}

}  // namespace weft::inline v0::detail
