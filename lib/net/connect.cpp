#include "net/socket_address.h"
#include "net/socket_options.h"
#include "net/stream_calls.h"
#include "platform/system_calls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <new>

namespace weft::inline v0::detail {

namespace {

// One attempt to connect, as perform() wants it: the first call begins, every later one asks what came of it.
class connect_attempt {
 public:
  explicit connect_attempt(const socket_address& peer) noexcept : peer_(peer) {}

  std::ptrdiff_t operator()(int fd) noexcept { return has_begun_ ? outcome(fd) : begin(fd); }

 private:
  std::ptrdiff_t begin(int fd) noexcept {
    has_begun_ = true;
    const int result = sys().connect(fd, peer_.data(), peer_.size());
    // An interrupted connect() goes on by itself.
    if (result == -EINPROGRESS || result == -EINTR) return -EAGAIN;
    // The other EAGAIN of connect(), which no readiness will ever follow: no local port is left.
    return result == -EAGAIN ? -EADDRNOTAVAIL : result;
  }

  std::ptrdiff_t outcome(int fd) const noexcept {
    int error = 0;
    if (const int refused = get_option(fd, SOL_SOCKET, SO_ERROR, error)) return -refused;
    if (error != 0) return -error;
    // No error may also mean that there is no outcome yet.
    socket_address connected_to;
    const int result = sys().getpeername(fd, connected_to.data(), connected_to.size_to_fill());
    return result == -ENOTCONN ? -EAGAIN : result;
  }

  const socket_address& peer_;
  bool has_begun_ = false;
};

// A connection to a free port of the own machine can meet itself: where the kernel happens to choose the same
// port for this end, TCP's simultaneous open succeeds with one socket. The peer that was asked for tells too little: 0.0.0.0
// and :: stand for an address of the machine.
bool is_connected_to_itself(int fd, const net::endpoint& wanted) noexcept {
  socket_address local;
  if (sys().getsockname(fd, local.data(), local.size_to_fill()) != 0) return false;
  if (local.to_endpoint().port() != wanted.port()) return false;
  socket_address peer;
  return sys().getpeername(fd, peer.data(), peer.size_to_fill()) == 0 && local.to_endpoint() == peer.to_endpoint();
}

int bind_local(int fd, const net::endpoint& local) noexcept {
  const socket_address address(local);
  return -sys().bind(fd, address.data(), address.size());
}

connected try_connect(const socket_address& peer, const net::connect_options& options, std::int64_t deadline) noexcept {
  connected result;
  result.socket.reset(new (std::nothrow) stream_socket);
  if (result.socket == nullptr) return {nullptr, ENOMEM};
  const int fd = sys().socket(peer.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return {nullptr, -fd};
  result.error = result.socket->handle.adopt(fd);
  if (result.error != 0) return result;
  const option_result applied = apply_options(fd, options.stream);
  if (applied.error != 0) return {nullptr, applied.error, applied.option};
  if (options.local) result.error = bind_local(fd, *options.local);
  if (result.error != 0) return result;
  const std::ptrdiff_t outcome = result.socket->handle.perform(direction::write, deadline, 0, connect_attempt(peer));
  if (outcome < 0) result.error = static_cast<int>(-outcome);
  return result;
}

}  // namespace

connected connect_stream(const net::endpoint& peer, const net::connect_options& options,
                         std::int64_t deadline) noexcept {
  const socket_address address(peer);
  constexpr int most_attempts = 3;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    connected result = try_connect(address, options, deadline);
    if (result.error != 0) {
      result.socket.reset();
      return result;
    }
    const bool has_port =
        options.local && options.local->port() != 0;  // Its own port as the peer's is then what it wants.
    if (has_port || !is_connected_to_itself(result.socket->handle.fd(), peer)) {
      result.socket->peer = peer;
      return result;
    }
  }
  return {nullptr, ECONNREFUSED};
}

}  // namespace weft::inline v0::detail
