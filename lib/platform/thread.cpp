#include "platform/thread.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {
namespace {

struct start_record {
  std::array<char, native_thread::max_name + 1> name{};
  std::function<void()> entry;
};

void name_this_thread(const char* name) noexcept {
#ifdef __APPLE__
  pthread_setname_np(name);
#else
  pthread_setname_np(pthread_self(), name);
#endif
}

extern "C" void* weft_thread_main(void* argument) noexcept {
  const std::unique_ptr<start_record> record(static_cast<start_record*>(argument));
  name_this_thread(record->name.data());
  record->entry();
  return nullptr;
}

// All signals but those that a thread raises by itself, and the profiler's.
sigset_t asynchronous_signals() noexcept {
  sigset_t set;
  sigfillset(&set);
  for (const int synchronous : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
    sigdelset(&set, synchronous);
  }
  return set;
}

}  // namespace

native_thread::native_thread(std::string_view name, std::function<void()> entry) {
  auto record = std::make_unique<start_record>();
  std::copy_n(name.data(), std::min(name.size(), max_name), record->name.data());
  record->entry = std::move(entry);

  // Blocked before the start and inherited: no signal finds the new thread open for a moment.
  const sigset_t blocked = asynchronous_signals();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const int error = pthread_create(&handle_, nullptr, weft_thread_main, record.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    throw std::system_error(error, std::system_category(),
                            "weft: pthread_create of thread \"" + std::string(name) + "\"");
  }
  record.release();  // The thread's own from here.
  joinable_ = true;
}

native_thread::native_thread(native_thread&& other) noexcept
    : handle_(other.handle_), joinable_(std::exchange(other.joinable_, false)) {}

native_thread& native_thread::operator=(native_thread&& other) noexcept {
  if (joinable_) std::terminate();
  handle_ = other.handle_;
  joinable_ = std::exchange(other.joinable_, false);
  return *this;
}

native_thread::~native_thread() {
  if (joinable_) std::terminate();
}

bool native_thread::is_current() const noexcept { return joinable_ && pthread_equal(handle_, pthread_self()) != 0; }

void native_thread::join() noexcept {
  pthread_join(handle_, nullptr);
  joinable_ = false;
}

void yield_thread() noexcept { sys().sched_yield(); }

}  // namespace weft::inline v0::detail
