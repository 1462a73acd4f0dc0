// Roles: *installers*, one at a time under the lock; *handlers*, on any thread at any time.
// Invariant: the action from before is stored before our handler can run, and is never changed while it can: our handler
//   may be in another one's chain for good, so that a second installation would make a ring.
#include "platform/signal_hook.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <cstddef>
#include <mutex>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

const int memory_faults[2] = {SIGSEGV, SIGBUS};
const int where_signal = SIGURG;

namespace {

constexpr std::size_t alternate_bytes = std::size_t{128} << 10;

struct hooked_signal {
  atomic<signal_hook> hook{nullptr};
  // Under the lock; read by handlers.
  struct sigaction before {};
  unsigned users = 0;
  bool is_in_place = false;
};

std::mutex table_lock;
std::array<hooked_signal, signal_count> table;

bool is_fault(int number) noexcept { return number == memory_faults[0] || number == memory_faults[1]; }

signal_event event_of(int number, const siginfo_t& info, const void* context) noexcept {
  signal_event event{.number = number, .is_sent = info.si_code <= 0};
  if (!event.is_sent) event.fault = info.si_addr;
#if defined(__linux__) && defined(__x86_64__)
  const mcontext_t& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
  event.pc = reinterpret_cast<const void*>(machine.gregs[REG_RIP]);
  event.sp = reinterpret_cast<const void*>(machine.gregs[REG_RSP]);
#elif defined(__linux__) && defined(__aarch64__)
  const mcontext_t& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
  event.pc = reinterpret_cast<const void*>(machine.pc);
  event.sp = reinterpret_cast<const void*>(machine.sp);
#else
  static_cast<void>(context);
#endif
  return event;
}

// A fault comes again as soon as its instruction is retried, now without a handler; a signal that was sent does not.
void end_by(int number, bool is_sent) noexcept {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  sys().sigaction(number, &plain, nullptr);
  if (is_sent) sys().raise(number);
}

void pass_on(int number, siginfo_t* info, void* context) noexcept {
  const struct sigaction& before = table[static_cast<std::size_t>(number)].before;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(number, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(number);
  } else if (is_fault(number) && (before.sa_handler == SIG_DFL || info->si_code > 0)) {
    end_by(number, info->si_code <= 0);
  }
}

extern "C" void weft_on_signal(int number, siginfo_t* info, void* context) {
  const errno_keeper keep;
  const signal_hook hook = table[static_cast<std::size_t>(number)].hook.load(acquire);  // Pairs with hook_signal().
  if (hook != nullptr) hook(event_of(number, *info, context));
  pass_on(number, info, context);
}

bool is_ours(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &weft_on_signal;
}

}  // namespace

int hook_signal(int number, signal_hook hook) noexcept {
  const std::scoped_lock hold(table_lock);
  hooked_signal& s = table[static_cast<std::size_t>(number)];
  s.hook.store(hook, release);  // Pairs with weft_on_signal().
  if (s.users++ != 0 || s.is_in_place) return 0;
  int error = -sys().sigaction(number, nullptr, &s.before);
  struct sigaction ours = s.before;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | (s.before.sa_flags & SA_NODEFER);
  ours.sa_sigaction = &weft_on_signal;
  if (error == 0) error = -sys().sigaction(number, &ours, nullptr);
  s.is_in_place = error == 0;
  if (error != 0) {
    --s.users;
    s.hook.store(nullptr, relaxed);
  }
  return error;
}

void unhook_signal(int number) noexcept {
  const std::scoped_lock hold(table_lock);
  hooked_signal& s = table[static_cast<std::size_t>(number)];
  if (s.users == 0 || --s.users != 0) return;
  s.hook.store(nullptr, relaxed);
  struct sigaction now {};
  if (sys().sigaction(number, nullptr, &now) != 0 || !is_ours(now)) return;  // Somebody's chain may lead to us.
  if (sys().sigaction(number, &s.before, nullptr) == 0) s.is_in_place = false;
}

const void* handler_without_stack(int number) noexcept {
  struct sigaction now {};
  if (sys().sigaction(number, nullptr, &now) != 0 || (now.sa_flags & SA_ONSTACK) != 0) return nullptr;
  if ((now.sa_flags & SA_SIGINFO) != 0) return reinterpret_cast<const void*>(now.sa_sigaction);
  if (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN) return nullptr;
  return reinterpret_cast<const void*>(now.sa_handler);
}

alternate_stack::alternate_stack(bool is_wanted) noexcept {
  stack_t before{};
  if (!is_wanted || sys().sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) return;
  const std::intptr_t result =
      sys().mmap(nullptr, alternate_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (result < 0 && result > -4096) return;
  memory_ = reinterpret_cast<void*>(result);
  stack_t ours{};
  ours.ss_sp = memory_;
  ours.ss_size = alternate_bytes;
  sys().sigaltstack(&ours, nullptr);
}

alternate_stack::~alternate_stack() {
  if (memory_ == nullptr) return;
  stack_t now{};
  if (sys().sigaltstack(nullptr, &now) == 0 && now.ss_sp == memory_) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sys().sigaltstack(&none, nullptr);
  }
  sys().munmap(memory_, alternate_bytes);
}

}  // namespace weft::inline v0::detail
