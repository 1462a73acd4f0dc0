#include "io/transfer.h"
#include "net/listener_socket.h"
#include "net/socket_address.h"
#include "platform/clock.h"
#include "platform/system_calls.h"

#include <algorithm>
#include <new>

namespace weft::inline v0::detail {

namespace {

// The system has no room for one more connection now; the connection itself is still there.
bool is_exhaustion(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// A connection that failed before it was taken: it is gone, and the next may be well. Linux passes a pending
// network error of the new connection on as the result of accept().
bool is_of_the_connection(int error) noexcept {
  switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
#ifdef ENONET
    case ENONET:
#endif
      return true;
    default:
      return false;
  }
}

// Accepts with the turn held. The memory is there before the connection is taken, so that none is taken and lost.
accepted accept_in_turn(listener_socket& listener, std::int64_t deadline) noexcept {
  std::unique_ptr<stream_socket> stream;
  std::int64_t pause = listener.first_backoff;
  for (;;) {
    if (stream == nullptr) stream.reset(new (std::nothrow) stream_socket);
    std::ptrdiff_t result = -ENOMEM;
    socket_address peer;
    if (stream != nullptr) {
      result = listener.handle.perform(direction::read, deadline, 0, [&peer](int fd) noexcept {
        peer = socket_address();
        return retry_interrupted(
            [&] { return sys().accept4(fd, peer.data(), peer.size_to_fill(), SOCK_NONBLOCK | SOCK_CLOEXEC); });
      });
    }
    if (result >= 0) {
      stream->peer = peer.to_endpoint();
      const int error = stream->handle.adopt(static_cast<int>(result));
      if (error == 0) return {std::move(stream), 0};
      result = -error;  // That connection is lost, for want of memory.
    }
    const int error = static_cast<int>(-result);
    if (is_of_the_connection(error)) continue;
    if (!is_exhaustion(error)) return {nullptr, error};
    const std::int64_t until = std::min(deadline_after(pause), deadline);
    if (const int ended = listener.turn.hold_off(until)) return {nullptr, ended};
    if (until == deadline && deadline != never) return {nullptr, ETIMEDOUT};
    pause = std::min(2 * pause, listener.last_backoff);
  }
}

}  // namespace

accepted accept_next(listener_socket* listener, std::int64_t deadline) noexcept {
  if (listener == nullptr) return {nullptr, EBADF};
  if (const int error = listener->turn.enter(deadline)) return {nullptr, error};
  accepted result = accept_in_turn(*listener, deadline);
  listener->turn.leave();
  return result;
}

}  // namespace weft::inline v0::detail
