#include "platform/thread.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "platform/signal_set.h"
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

atomic<std::size_t> live_threads{0};

extern "C" void* weft_thread_main(void* argument) noexcept {
  const std::unique_ptr<start_record> record(static_cast<start_record*>(argument));
  name_this_thread(record->name.data());
  record->entry();
  live_threads.fetch_sub(1, relaxed);
  return nullptr;
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
  live_threads.fetch_add(1, relaxed);  // A count for reports.
  record.release();                    // The thread's own from here.
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

std::size_t native_threads() noexcept { return live_threads.load(relaxed); }

std::size_t process_threads() noexcept {
  std::size_t count = 0;
#ifdef __linux__
  const int fd = sys().open("/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  char text[1024];
  const ssize_t size = sys().read(fd, text, sizeof text);
  sys().close(fd);
  std::string_view rest(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  constexpr int fields_before = 18;  // After the name, which may hold anything and ends with the last bracket.
  rest.remove_prefix(std::min(rest.rfind(')'), rest.size()));
  for (int i = 0; i < fields_before; ++i) rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
  std::from_chars(rest.data(), rest.data() + rest.size(), count);
#endif
  return count;
}

std::int32_t this_thread_id() noexcept {
#ifdef __linux__
  return sys().gettid();
#else
  return 0;
#endif
}

void unblock_signal(int number) noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void yield_thread() noexcept { sys().sched_yield(); }

}  // namespace weft::inline v0::detail
