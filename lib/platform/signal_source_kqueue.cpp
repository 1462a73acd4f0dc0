// A queue of its own, which the reactor's queue watches. It counts what is sent, whether that is blocked or not, so a
// signal that was taken here stays pending in the kernel, where all threads block it.
#include "platform/signal_source.h"

#include "platform/signal_set.h"
#include "platform/system_calls.h"

#include <cerrno>

namespace weft::inline v0::detail {

namespace {

int add_all(int source, std::span<const int> numbers) noexcept {
  for (const int number : numbers) {
    struct kevent change;
    EV_SET(&change, static_cast<uintptr_t>(number), EVFILT_SIGNAL, EV_ADD | EV_CLEAR, 0, 0, nullptr);
    int error;
    do {
      error = sys().kevent(source, &change, 1, nullptr, 0, nullptr);
    } while (error == -EINTR);
    if (error < 0) return error;
  }
  return 0;
}

}  // namespace

int open_signal_source(std::span<const int> numbers) noexcept {
  sigset_t wanted;
  if (!set_of_asynchronous(numbers, wanted)) return -EINVAL;
  const int source = sys().kqueue();
  if (source < 0) return source;
  int error = sys().fcntl(source, F_SETFD, FD_CLOEXEC);
  if (error >= 0) error = add_all(source, numbers);
  if (error < 0) {
    sys().close(source);
    return error;
  }
  block_signals(wanted);
  return source;
}

std::int32_t take_signal(int source, pending_signal& out) noexcept {
  constexpr timespec at_once{};
  struct kevent event;
  int count;
  do {
    count = sys().kevent(source, nullptr, 0, &event, 1, &at_once);
  } while (count == -EINTR);
  if (count <= 0) return count == 0 ? -EAGAIN : count;
  out = {.number = static_cast<int>(event.ident)};
  return 1;
}

open_thread find_thread_open_to(std::span<const int>) { return {}; }

}  // namespace weft::inline v0::detail
