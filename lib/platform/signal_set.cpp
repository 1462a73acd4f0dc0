#include "platform/signal_set.h"

#include <pthread.h>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

sigset_t asynchronous_signals() noexcept {
  sigset_t set;
  sigfillset(&set);
  for (const int synchronous : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
    sigdelset(&set, synchronous);
  }
  return set;
}

void block_signals(const sigset_t& set) noexcept { pthread_sigmask(SIG_BLOCK, &set, nullptr); }

bool set_of_asynchronous(std::span<const int> numbers, sigset_t& set) noexcept {
  const sigset_t all = asynchronous_signals();
  sigemptyset(&set);
  for (const int number : numbers) {
    const bool is_possible = number != SIGKILL && number != SIGSTOP && sigismember(&all, number) == 1;
    if (!is_possible || sigaddset(&set, number) != 0) return false;
  }
  return !numbers.empty();
}

#ifdef __linux__
void drop_pending(int number) noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  constexpr timespec at_once{};
  sys().sigtimedwait(&set, nullptr, &at_once);
}
#endif

bool is_blocked_on_workers(int number) noexcept {
  const sigset_t blocked = asynchronous_signals();
  return sigismember(&blocked, number) == 1;
}

}  // namespace weft::inline v0::detail
