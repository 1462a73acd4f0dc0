#include "net/listener_socket.h"
#include "net/socket_address.h"
#include "net/socket_options.h"
#include "platform/system_calls.h"

#include <netinet/in.h>

#include <algorithm>
#include <new>

namespace weft::inline v0::detail {

namespace {

// What is set before bind(). Options of the streams go here too: accepted sockets inherit them, which saves a
// system call for each, and the buffer sizes decide the window that is offered in the handshake.
option_result prepare(int fd, const net::endpoint& where, const net::listen_options& options) noexcept {
  if (const int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, options.reuse_address)) {
    return {error, "reuse_address"};
  }
  if (const int error = set_option(fd, SOL_SOCKET, SO_REUSEPORT, options.reuse_port)) return {error, "reuse_port"};
  if (where.address().is_v6()) {
    if (const int error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only)) return {error, "v6_only"};
  }
  return apply_options(fd, options.stream);
}

int bind_and_listen(listener_socket& listener, int fd, const net::endpoint& where, int backlog) noexcept {
  const socket_address wanted(where);
  if (const int result = sys().bind(fd, wanted.data(), wanted.size()); result < 0) return -result;
  if (const int result = sys().listen(fd, backlog); result < 0) return -result;
  socket_address bound;
  if (const int result = sys().getsockname(fd, bound.data(), bound.size_to_fill()); result < 0) return -result;
  listener.where = bound.to_endpoint();
  return 0;
}

}  // namespace

listening listen_at(const net::endpoint& where, const net::listen_options& options) noexcept {
  if (options.backlog < 1) return {nullptr, EINVAL, "the backlog is below 1"};
  if (options.first_backoff.count() < 1 || options.last_backoff < options.first_backoff) {
    return {nullptr, EINVAL, "the back-off is not from 1 ms up"};
  }
  listening result;
  result.socket.reset(new (std::nothrow) listener_socket);
  if (result.socket == nullptr) return {nullptr, ENOMEM};
  const int family = where.address().is_v4() ? AF_INET : AF_INET6;
  const int fd = sys().socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return {nullptr, -fd};
  if (const int error = result.socket->handle.adopt(fd)) return {nullptr, error};
  const option_result prepared = prepare(fd, where, options);
  if (prepared.error != 0) return {nullptr, prepared.error, prepared.option};
  if (const int error = bind_and_listen(*result.socket, fd, where, options.backlog)) return {nullptr, error};
  result.socket->first_backoff = to_delay_ns(options.first_backoff);
  result.socket->last_backoff = to_delay_ns(options.last_backoff);
  return result;
}

void close_listener(listener_socket& listener) noexcept {
  // The turn first: who is woken by the descriptor must not get the turn once more.
  listener.turn.close();
  listener.handle.close();
}

}  // namespace weft::inline v0::detail
