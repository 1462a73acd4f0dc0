#include "scheduler/plain_thread.h"

#include "platform/spin_lock.h"
#include "platform/system_calls.h"
#include "platform/thread_exit.h"
#include "scheduler/context_local.h"
#include "scheduler/fiber_local.h"
#include "scheduler/here.h"

#include <cstdlib>
#include <mutex>
#include <string_view>

namespace weft::inline v0::detail {

namespace {
spin_lock free_lock;
thread_record* free_records = nullptr;

void give_back(void* record) {
  auto* const r = static_cast<thread_record*>(record);
  while (r->locals != nullptr || r->context != nullptr) {  // What goes may make others.
    if (r->locals != nullptr) end_locals(r->locals);
    if (r->context != nullptr) release_context(std::exchange(r->context, nullptr));
  }
  set_here_word(0);
  const std::scoped_lock hold(free_lock);
  r->next_free = free_records;
  free_records = r;
}

thread_record* take_record() {
  {
    const std::scoped_lock hold(free_lock);
    if (free_records != nullptr) {
      thread_record* const r = free_records;
      free_records = r->next_free;
      r->next_free = nullptr;
      return r;
    }
  }
  auto* const r = new thread_record;
  r->is_thread = true;
  return r;
}
}  // namespace

thread_record& this_thread_record() {
  const std::uintptr_t word = here_word();
  if ((word & 1) != 0) return *reinterpret_cast<thread_record*>(word & ~std::uintptr_t{1});
  if (word != 0) {
    // A worker has none: it would sleep with all its fibers.
    constexpr std::string_view what =
        "weft: a worker thread waits outside of its fibers, in a callback of the scheduler\n";
    sys().write(2, what.data(), what.size());
    std::abort();
  }
  thread_record* const r = take_record();
  set_here_word(reinterpret_cast<std::uintptr_t>(r) | 1);
  at_thread_exit(&give_back, r);
  return *r;
}

}  // namespace weft::inline v0::detail
