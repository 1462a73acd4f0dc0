#include <weft/net/tcp_listener.h>

#include "io/failure.h"
#include "net/listener_socket.h"

#include <cerrno>
#include <new>
#include <utility>

namespace weft::inline v0::net {

namespace {

[[noreturn]] void fail(int error, std::string_view call, const endpoint& where, std::string_view what = {}) {
  const std::string subject = "on " + where.to_string();
  detail::throw_failure(error, {call, subject, what.empty() ? detail::explain_permission(error) : what});
}

}  // namespace

tcp_listener::tcp_listener() noexcept = default;
tcp_listener::tcp_listener(std::unique_ptr<detail::listener_socket> socket) noexcept : socket_(std::move(socket)) {}
tcp_listener::tcp_listener(const endpoint& where, const listen_options& options)
    : tcp_listener(listen(where, options)) {}

tcp_listener::~tcp_listener() = default;
tcp_listener::tcp_listener(tcp_listener&&) noexcept = default;
tcp_listener& tcp_listener::operator=(tcp_listener&&) noexcept = default;

tcp_listener tcp_listener::listen(const endpoint& where, const listen_options& options) {
  detail::listening result = detail::listen_at(where, options);
  if (result.error != 0) fail(result.error, "tcp_listener::listen", where, result.what);
  return tcp_listener(std::move(result.socket));
}

tcp_listener tcp_listener::listen(const endpoint& where, std::error_code& ec, const listen_options& options) noexcept {
  detail::listening result = detail::listen_at(where, options);
  ec = detail::to_error_code(result.error);
  return tcp_listener(std::move(result.socket));
}

tcp_stream tcp_listener::accept(deadline limit) {
  detail::accepted result = detail::accept_next(socket_.get(), limit.nanoseconds());
  if (result.error != 0) [[unlikely]]
    fail(result.error, "tcp_listener::accept", local_endpoint());
  return tcp_stream(std::move(result.socket));
}

tcp_stream tcp_listener::accept(std::error_code& ec, deadline limit) noexcept {
  detail::accepted result = detail::accept_next(socket_.get(), limit.nanoseconds());
  ec = detail::to_error_code(result.error);
  return tcp_stream(std::move(result.socket));
}

void tcp_listener::close() noexcept {
  if (socket_ != nullptr) detail::close_listener(*socket_);
}

bool tcp_listener::is_open() const noexcept { return socket_ != nullptr && socket_->handle.is_open(); }
int tcp_listener::native_handle() const noexcept { return socket_ != nullptr ? socket_->handle.fd() : -1; }
endpoint tcp_listener::local_endpoint() const noexcept { return socket_ != nullptr ? socket_->where : endpoint(); }

std::vector<tcp_listener> listen_on_every_core(const endpoint& where, std::size_t count,
                                               const listen_options& options) {
  std::error_code ec;
  std::vector<tcp_listener> listeners = listen_on_every_core(where, count, ec, options);
  if (ec) {
    fail(ec.value(), "listen_on_every_core", where, std::to_string(count) + " listeners");
  }
  return listeners;
}

std::vector<tcp_listener> listen_on_every_core(const endpoint& where, std::size_t count, std::error_code& ec,
                                               const listen_options& options) noexcept {
  std::vector<tcp_listener> listeners;
  ec = detail::to_error_code(count == 0 ? EINVAL : 0);
  endpoint shared = where;
  listen_options shared_options = options;
  shared_options.reuse_port = true;
  while (!ec && listeners.size() < count) {
    tcp_listener next = tcp_listener::listen(shared, ec, shared_options);
    if (ec) break;
    shared = next.local_endpoint();
    try {
      listeners.push_back(std::move(next));
    } catch (const std::bad_alloc&) {
      ec = detail::to_error_code(ENOMEM);
    }
  }
  if (ec) listeners.clear();
  return listeners;
}

}  // namespace weft::inline v0::net
