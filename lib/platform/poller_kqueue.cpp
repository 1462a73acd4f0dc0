// Readiness on the BSDs and on Apple systems.
//
// A descriptor has one knote for each filter, both with the same token; they report apart. EV_CLEAR makes
// them edge-triggered, and keeps the EVFILT_USER event of wake() from being reported for ever.
#include <poll.h>
#include <sys/event.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "platform/poller.h"
#include "platform/system_calls.h"
#include "platform/wait_uninterrupted.h"

namespace weft::inline v0::detail {
namespace {

static_assert(sizeof(void*) == sizeof(std::uint64_t), "a token travels as a pointer");

constexpr uintptr_t wake_identifier = 0;

struct kevent change(int fd, int filter, unsigned action, std::uint64_t token) noexcept {
  struct kevent result;
  EV_SET(&result, static_cast<uintptr_t>(fd), static_cast<short>(filter), static_cast<unsigned short>(action), 0, 0,
         reinterpret_cast<void*>(static_cast<std::uintptr_t>(token)));
  return result;
}

struct kevent wake_change(unsigned action, unsigned trigger) noexcept {
  struct kevent result;
  EV_SET(&result, wake_identifier, EVFILT_USER, static_cast<unsigned short>(action), trigger, 0,
         reinterpret_cast<void*>(static_cast<std::uintptr_t>(poller::reserved_token)));
  return result;
}

// Applies one change. Returns 0 or a positive errno value.
int apply(int queue, const struct kevent& one) noexcept {
  int result;
  do {
    result = sys().kevent(queue, &one, 1, nullptr, 0, nullptr);
  } while (result == -EINTR);
  return result < 0 ? -result : 0;
}

std::uint32_t flags_of(const struct kevent& event) noexcept {
  constexpr std::uint32_t both = ready_event::readable_flag | ready_event::writable_flag;
  if ((event.flags & EV_ERROR) != 0) return ready_event::error_flag | both;
  std::uint32_t flags = 0;
  const bool ended = (event.flags & EV_EOF) != 0;
  if (event.filter == EVFILT_READ) {
    flags |= ready_event::readable_flag;  // With EV_EOF too: there may be unread bytes before the end.
    if (ended) flags |= ready_event::read_closed_flag;
  } else {
    flags |= ready_event::writable_flag;
    // Nobody reads any more: the hang-up of the other system, which makes reading ready as well.
    if (ended) flags |= ready_event::hangup_flag | both;
  }
  if (ended && event.fflags != 0) flags |= ready_event::error_flag | both;  // fflags is the socket's error.
  return flags;
}

}  // namespace

poller::poller() : queue_(sys().kqueue()), wake_(-1) {
  if (queue_ < 0) throw std::system_error(-queue_, std::system_category(), "weft: poller: kqueue");
  int error = -sys().fcntl(queue_, F_SETFD, FD_CLOEXEC);
  const char* call = "fcntl(F_SETFD) of its kqueue";
  if (error <= 0) {
    error = apply(queue_, wake_change(EV_ADD | EV_CLEAR, NOTE_FFNOP));
    call = "kevent(EVFILT_USER)";
  }
  if (error > 0) {
    sys().close(queue_);
    throw std::system_error(error, std::system_category(), std::string("weft: poller: ") + call);
  }
}

poller::~poller() { sys().close(queue_); }

int poller::add(int fd, std::uint64_t token) noexcept {
  if (token == reserved_token) return EINVAL;
  if (fd < 0) return EBADF;
  const int read_error = apply(queue_, change(fd, EVFILT_READ, EV_ADD | EV_CLEAR, token));
  if (read_error != 0) return read_error;
  const int write_error = apply(queue_, change(fd, EVFILT_WRITE, EV_ADD | EV_CLEAR, token));
  // EPIPE: the other end of a pipe is closed already, and the first write will say so. EINVAL: what is only ever read,
  // such as another queue.
  if (write_error == 0 || write_error == EPIPE || write_error == EINVAL) return 0;
  apply(queue_, change(fd, EVFILT_READ, EV_DELETE, token));
  return write_error;
}

int poller::remove(int fd) noexcept {
  if (fd < 0) return EBADF;
  const int read_error = apply(queue_, change(fd, EVFILT_READ, EV_DELETE, 0));
  const int write_error = apply(queue_, change(fd, EVFILT_WRITE, EV_DELETE, 0));
  return read_error == 0 || write_error == 0 ? 0 : read_error;
}

int poller::wait(std::span<ready_event> events, std::int64_t deadline) noexcept {
  woken_ = false;
  if (events.empty()) return -EINVAL;
  struct kevent fetched[max_batch];
  const int capacity = static_cast<int>(std::min(events.size(), max_batch));
  const int count = wait_uninterrupted(
      deadline, [&](const timespec* timeout) { return sys().kevent(queue_, nullptr, 0, fetched, capacity, timeout); });
  if (count < 0) return count;
  int filled = 0;
  for (int index = 0; index < count; ++index) {
    const struct kevent& event = fetched[index];
    if (event.filter == EVFILT_USER) {
      woken_ = true;
    } else {
      const auto token = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(event.udata));
      events[static_cast<std::size_t>(filled++)] = {token, flags_of(event)};
    }
  }
  return filled;
}

void poller::wake() noexcept { apply(queue_, wake_change(0, NOTE_TRIGGER)); }

int poller::wait_unconsumed(std::int64_t deadline) noexcept {
  pollfd queue{.fd = queue_, .events = POLLIN, .revents = 0};
  return wait_uninterrupted(deadline, [&](const timespec* timeout) { return sys().poll(&queue, 1, timeout); });
}

}  // namespace weft::inline v0::detail
