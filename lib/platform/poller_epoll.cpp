// Readiness on Linux.
//
// The eventfd is registered edge-triggered and never read: each write to it is an edge of its own, so a
// wake() costs one write, and the wait() that consumes it costs no call beyond the one that it makes anyway.
// Its counter cannot overflow in the life of a machine (2^64 wake-ups).
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "platform/poller.h"
#include "platform/system_calls.h"
#include "platform/wait_uninterrupted.h"

namespace weft::inline v0::detail {
namespace {

// Returns `result`, or throws the error that it is, after closing what was opened before.
int checked(int result, const char* call, int opened) {
  if (result >= 0) return result;
  if (opened >= 0) sys().close(opened);
  throw std::system_error(-result, std::system_category(), std::string("weft: poller: ") + call);
}

std::uint32_t flags_of(std::uint32_t events) noexcept {
  std::uint32_t flags = 0;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) flags |= ready_event::readable_flag;
  if ((events & EPOLLOUT) != 0) flags |= ready_event::writable_flag;
  if ((events & EPOLLRDHUP) != 0) flags |= ready_event::read_closed_flag;
  if ((events & EPOLLPRI) != 0) flags |= ready_event::urgent_flag;
  constexpr std::uint32_t both = ready_event::readable_flag | ready_event::writable_flag;
  if ((events & EPOLLHUP) != 0) flags |= ready_event::hangup_flag | both;
  if ((events & EPOLLERR) != 0) flags |= ready_event::error_flag | both;
  return flags;
}

int watch(int queue, int fd, std::uint32_t events, std::uint64_t token) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  return sys().epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

poller::poller()
    : queue_(checked(sys().epoll_create1(EPOLL_CLOEXEC), "epoll_create1", -1)),
      wake_(checked(sys().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd", queue_)) {
  const int result = watch(queue_, wake_, EPOLLIN | EPOLLET, reserved_token);
  if (result < 0) {
    sys().close(wake_);
    checked(result, "epoll_ctl(EPOLL_CTL_ADD) of its eventfd", queue_);
  }
}

poller::~poller() {
  sys().close(wake_);
  sys().close(queue_);
}

int poller::add(int fd, std::uint64_t token) noexcept {
  if (token == reserved_token) return EINVAL;
  return -watch(queue_, fd, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET, token);
}

int poller::remove(int fd) noexcept {
  epoll_event unused{};  // Kernels before 2.6.9 wanted one.
  return -sys().epoll_ctl(queue_, EPOLL_CTL_DEL, fd, &unused);
}

int poller::wait(std::span<ready_event> events, std::int64_t deadline) noexcept {
  woken_ = false;
  epoll_event fetched[max_batch];
  const int capacity = static_cast<int>(std::min(events.size(), max_batch));
  const int count = wait_uninterrupted(deadline, [&](const timespec* timeout) {
    return sys().epoll_pwait2(queue_, fetched, capacity, timeout, nullptr);
  });
  if (count < 0) return count;
  int filled = 0;
  for (int index = 0; index < count; ++index) {
    const epoll_event& event = fetched[index];
    if (event.data.u64 == reserved_token) {
      woken_ = true;
    } else {
      events[static_cast<std::size_t>(filled++)] = {event.data.u64, flags_of(event.events)};
    }
  }
  return filled;
}

void poller::wake() noexcept {
  const std::uint64_t one = 1;
  while (sys().write(wake_, &one, sizeof(one)) == -EINTR) {
  }
}

int poller::wait_unconsumed(std::int64_t deadline) noexcept {
  pollfd queue{.fd = queue_, .events = POLLIN, .revents = 0};
  return wait_uninterrupted(deadline, [&](const timespec* timeout) { return sys().poll(&queue, 1, timeout); });
}

}  // namespace weft::inline v0::detail
