// Threads of weft as threads of the model. They have no CPUs to be pinned to.
#include "platform/thread.h"
#include "platform/thread_exit.h"

#include <weft/mc/blocking.h>

#include <cerrno>
#include <exception>
#include <utility>

namespace weft::inline v0::detail {

namespace {
mc::thread* thread_of(pthread_t handle) { return reinterpret_cast<mc::thread*>(handle); }
}  // namespace

native_thread::native_thread(std::string_view, std::function<void()> entry)
    : handle_(reinterpret_cast<pthread_t>(new mc::thread(std::move(entry)))), joinable_(true) {}

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

void native_thread::join() noexcept {
  thread_of(handle_)->join();
  delete thread_of(handle_);
  joinable_ = false;
}

void yield_thread() noexcept { mc::spin(); }

int pin_this_thread(std::span<const int>) noexcept { return ENOTSUP; }
int unpin_this_thread() noexcept { return ENOTSUP; }
const cpu_set& original_affinity() {
  static const cpu_set one{0};
  return one;
}
cpu_set current_affinity() { return {}; }
std::size_t process_threads() noexcept { return 0; }
std::size_t native_threads() noexcept { return 0; }
void unblock_signal(int) noexcept {}
std::int32_t this_thread_id() noexcept { return 0; }
bool at_thread_exit(void (*)(void*), void*) noexcept { return false; }

}  // namespace weft::inline v0::detail
