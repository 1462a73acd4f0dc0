#include <weft/net/tcp_stream.h>

#include "io/failure.h"
#include "net/socket_address.h"
#include "net/socket_options.h"
#include "net/stream_calls.h"
#include "platform/system_calls.h"

#include <utility>

namespace weft::inline v0::net {

namespace {

using detail::transferred;

std::string_view explain(int error) noexcept {
  if (error == EBUSY) return "another fiber is in the middle of this call";
  return detail::explain_permission(error);
}

[[noreturn]] void fail(int error, std::string_view call, std::string_view preposition, const endpoint& peer,
                       std::string_view what = {}) {
  std::string subject(preposition);
  subject.append(" ").append(peer.to_string());
  detail::throw_failure(error, {call, subject, what.empty() ? explain(error) : what});
}

std::size_t checked(const transferred& done, std::string_view call, std::string_view preposition,
                    const endpoint& peer) {
  if (done.error != 0) [[unlikely]]
    fail(done.error, call, preposition, peer);
  return done.count;
}

std::size_t reported(const transferred& done, std::error_code& ec) noexcept {
  if (done.error == 0) [[likely]] {
    ec.clear();
  } else {
    ec = detail::to_error_code(done.error);
  }
  return done.count;
}

std::span<const std::byte> bytes_of(std::string_view text) noexcept { return std::as_bytes(std::span(text)); }

int shutdown_how(shutdown_mode mode) noexcept {
  switch (mode) {
    case shutdown_mode::read:
      return SHUT_RD;
    case shutdown_mode::write:
      return SHUT_WR;
    case shutdown_mode::both:
      break;
  }
  return SHUT_RDWR;
}

// Short calls on the socket, or EBADF where there is none.
template <class Call>
int use(detail::stream_socket* socket, Call&& call) noexcept {
  return socket == nullptr ? -EBADF : socket->handle.use(std::forward<Call>(call));
}

int local_address(detail::stream_socket* socket, endpoint& found) noexcept {
  return -use(socket, [&found](int fd) noexcept {
    detail::socket_address address;
    const int result = detail::sys().getsockname(fd, address.data(), address.size_to_fill());
    if (result == 0) found = address.to_endpoint();
    return result;
  });
}

int shut_down(detail::stream_socket* socket, shutdown_mode mode) noexcept {
  return -use(socket, [mode](int fd) noexcept { return detail::sys().shutdown(fd, shutdown_how(mode)); });
}

detail::option_result set_all(detail::stream_socket* socket, const stream_options& wanted) noexcept {
  detail::option_result result;
  result.error = -use(socket, [&](int fd) noexcept {
    result = detail::apply_options(fd, wanted);
    return -result.error;
  });
  return result;
}

detail::option_result get_all(detail::stream_socket* socket, stream_options& found) noexcept {
  detail::option_result result;
  result.error = -use(socket, [&](int fd) noexcept {
    result = detail::read_options(fd, found);
    return -result.error;
  });
  return result;
}

}  // namespace

tcp_stream::tcp_stream() noexcept = default;
tcp_stream::tcp_stream(std::unique_ptr<detail::stream_socket> socket) noexcept : socket_(std::move(socket)) {}
tcp_stream::~tcp_stream() = default;
tcp_stream::tcp_stream(tcp_stream&&) noexcept = default;
tcp_stream& tcp_stream::operator=(tcp_stream&&) noexcept = default;

tcp_stream tcp_stream::connect(const endpoint& peer, deadline limit) { return connect(peer, connect_options{}, limit); }

tcp_stream tcp_stream::connect(const endpoint& peer, const connect_options& options, deadline limit) {
  detail::connected result = detail::connect_stream(peer, options, limit.nanoseconds());
  if (result.error != 0) fail(result.error, "tcp_stream::connect", "to", peer, result.option);
  return tcp_stream(std::move(result.socket));
}

tcp_stream tcp_stream::connect(const endpoint& peer, std::error_code& ec, deadline limit) noexcept {
  return connect(peer, connect_options{}, ec, limit);
}

tcp_stream tcp_stream::connect(const endpoint& peer, const connect_options& options, std::error_code& ec,
                               deadline limit) noexcept {
  detail::connected result = detail::connect_stream(peer, options, limit.nanoseconds());
  ec = detail::to_error_code(result.error);
  return tcp_stream(std::move(result.socket));
}

std::size_t tcp_stream::read(std::span<std::byte> buffer, deadline limit) {
  const transferred done = detail::receive(socket_.get(), buffer, limit.nanoseconds());
  return checked(done, "tcp_stream::read", "from", remote_endpoint());
}

std::size_t tcp_stream::read(std::span<const std::span<std::byte>> buffers, deadline limit) {
  const transferred done = detail::receive(socket_.get(), buffers, limit.nanoseconds());
  return checked(done, "tcp_stream::read", "from", remote_endpoint());
}

std::size_t tcp_stream::read(std::span<std::byte> buffer, std::error_code& ec, deadline limit) noexcept {
  return reported(detail::receive(socket_.get(), buffer, limit.nanoseconds()), ec);
}

std::size_t tcp_stream::read(std::span<const std::span<std::byte>> buffers, std::error_code& ec,
                             deadline limit) noexcept {
  return reported(detail::receive(socket_.get(), buffers, limit.nanoseconds()), ec);
}

std::size_t tcp_stream::read_exactly(std::span<std::byte> buffer, deadline limit) {
  const transferred done = detail::receive_exactly(socket_.get(), buffer, limit.nanoseconds());
  return checked(done, "tcp_stream::read_exactly", "from", remote_endpoint());
}

std::size_t tcp_stream::read_exactly(std::span<std::byte> buffer, std::error_code& ec, deadline limit) noexcept {
  return reported(detail::receive_exactly(socket_.get(), buffer, limit.nanoseconds()), ec);
}

void tcp_stream::write(std::span<const std::byte> data, deadline limit) {
  const transferred done = detail::send(socket_.get(), data, limit.nanoseconds());
  checked(done, "tcp_stream::write", "to", remote_endpoint());
}

void tcp_stream::write(std::span<const std::span<const std::byte>> parts, deadline limit) {
  const transferred done = detail::send(socket_.get(), parts, limit.nanoseconds());
  checked(done, "tcp_stream::write", "to", remote_endpoint());
}

void tcp_stream::write(std::string_view text, deadline limit) { write(bytes_of(text), limit); }

std::size_t tcp_stream::write(std::span<const std::byte> data, std::error_code& ec, deadline limit) noexcept {
  return reported(detail::send(socket_.get(), data, limit.nanoseconds()), ec);
}

std::size_t tcp_stream::write(std::span<const std::span<const std::byte>> parts, std::error_code& ec,
                              deadline limit) noexcept {
  return reported(detail::send(socket_.get(), parts, limit.nanoseconds()), ec);
}

std::size_t tcp_stream::write(std::string_view text, std::error_code& ec, deadline limit) noexcept {
  return write(bytes_of(text), ec, limit);
}

void tcp_stream::write_ahead(std::span<const std::byte> data, deadline limit) {
  const transferred done = detail::send_ahead(socket_.get(), data, limit.nanoseconds());
  checked(done, "tcp_stream::write_ahead", "to", remote_endpoint());
}

std::size_t tcp_stream::write_ahead(std::span<const std::byte> data, std::error_code& ec, deadline limit) noexcept {
  return reported(detail::send_ahead(socket_.get(), data, limit.nanoseconds()), ec);
}

std::size_t tcp_stream::write_some(std::span<const std::byte> data, deadline limit) {
  const transferred done = detail::send_some(socket_.get(), data, limit.nanoseconds());
  return checked(done, "tcp_stream::write_some", "to", remote_endpoint());
}

std::size_t tcp_stream::write_some(std::span<const std::byte> data, std::error_code& ec, deadline limit) noexcept {
  return reported(detail::send_some(socket_.get(), data, limit.nanoseconds()), ec);
}

std::size_t tcp_stream::send_file(int file, std::uint64_t offset, std::size_t count, deadline limit) {
  const transferred done = detail::send_file(socket_.get(), file, offset, count, limit.nanoseconds());
  return checked(done, "tcp_stream::send_file", "to", remote_endpoint());
}

std::size_t tcp_stream::send_file(int file, std::uint64_t offset, std::size_t count, std::error_code& ec,
                                  deadline limit) noexcept {
  return reported(detail::send_file(socket_.get(), file, offset, count, limit.nanoseconds()), ec);
}

void tcp_stream::shutdown(shutdown_mode mode) {
  const int error = shut_down(socket_.get(), mode);
  if (error != 0) fail(error, "tcp_stream::shutdown", "of the connection to", remote_endpoint());
}

void tcp_stream::shutdown(shutdown_mode mode, std::error_code& ec) noexcept {
  ec = detail::to_error_code(shut_down(socket_.get(), mode));
}

void tcp_stream::close() noexcept {
  if (socket_ != nullptr) socket_->handle.close();
}

bool tcp_stream::is_open() const noexcept { return socket_ != nullptr && socket_->handle.is_open(); }
int tcp_stream::native_handle() const noexcept { return socket_ != nullptr ? socket_->handle.fd() : -1; }

endpoint tcp_stream::local_endpoint() const {
  endpoint found;
  const int error = local_address(socket_.get(), found);
  if (error != 0) fail(error, "tcp_stream::local_endpoint", "of the connection to", remote_endpoint());
  return found;
}

endpoint tcp_stream::local_endpoint(std::error_code& ec) const noexcept {
  endpoint found;
  ec = detail::to_error_code(local_address(socket_.get(), found));
  return found;
}

endpoint tcp_stream::remote_endpoint() const noexcept { return socket_ != nullptr ? socket_->peer : endpoint(); }

stream_options tcp_stream::options() const {
  stream_options found;
  const auto [error, option] = get_all(socket_.get(), found);
  if (error != 0) fail(error, "tcp_stream::options", "of the connection to", remote_endpoint(), option);
  return found;
}

stream_options tcp_stream::options(std::error_code& ec) const noexcept {
  stream_options found;
  ec = detail::to_error_code(get_all(socket_.get(), found).error);
  return found;
}

void tcp_stream::set_options(const stream_options& options) {
  const auto [error, option] = set_all(socket_.get(), options);
  if (error != 0) fail(error, "tcp_stream::set_options", "of the connection to", remote_endpoint(), option);
}

void tcp_stream::set_options(const stream_options& options, std::error_code& ec) noexcept {
  ec = detail::to_error_code(set_all(socket_.get(), options).error);
}

}  // namespace weft::inline v0::net
