#include "platform/process.h"

#include <pthread.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>

namespace weft::inline v0::detail {

constinit atomic<bool> forked_child_flag{false};

namespace {

using fork_hook = void (*)();

// Written under `registration`; the child's hook reads them as the only thread there is, so a slot is either empty or
// whole.
constinit std::array<atomic<fork_hook>, 16> fork_hooks{};
constinit atomic<int> watchers{0};
constinit std::mutex registration;

void after_fork_in_child() noexcept {
  // Relaxed: fork() copied the memory as the forking thread saw it, and nobody else runs here.
  if (watchers.load(relaxed) == 0) return;
  forked_child_flag.store(true, relaxed);
  for (atomic<fork_hook>& slot : fork_hooks) {
    if (const fork_hook hook = slot.load(relaxed)) hook();
  }
}

void register_with_libc() {
  static const int error = pthread_atfork(nullptr, nullptr, after_fork_in_child);
  if (error != 0) throw std::system_error(error, std::system_category(), "weft: pthread_atfork");
}

}  // namespace

void watch_fork() {
  register_with_libc();
  watchers.fetch_add(1, relaxed);  // Ordered by whatever orders this call and the fork().
}

void unwatch_fork() noexcept { watchers.fetch_sub(1, relaxed); }

int register_fork_child(fork_hook hook) noexcept {
  const std::lock_guard guard(registration);
  for (atomic<fork_hook>& slot : fork_hooks) {
    const fork_hook present = slot.load(relaxed);
    if (present == hook) return 0;
    if (present == nullptr) {
      slot.store(hook, relaxed);
      return 0;
    }
  }
  return ENOSPC;
}

}  // namespace weft::inline v0::detail
