// A TCP socket that takes connections.
#pragma once

#include <weft/net/tcp_stream.h>

#include <vector>

namespace weft::inline v0 {

namespace detail {
struct listener_socket;
struct socket_access;
}

namespace net {

struct listen_options {
  int backlog = 4096;         // Connections that may wait for accept(); the system may allow fewer.
  bool reuse_address = true;  // Take the address although connections of an earlier listener are still winding down.
  bool reuse_port = false;    // Share address and port with other listeners that ask for it; the kernel spreads them.
  bool v6_only = false;       // An IPv6 listener takes no IPv4 peers; otherwise they appear as ::ffff:a.b.c.d.

  // How long accept() holds off when the system is out of descriptors or memory: doubled from the first to the last.
  std::chrono::milliseconds first_backoff{5};
  std::chrono::milliseconds last_backoff{1000};

  stream_options stream{.no_delay = true};  // What every accepted stream starts with.
};

// A listening socket, or nothing: then it is closed, and every call but close() fails with bad_file_descriptor.
//
// Thread safety: any number of fibers may accept at once, on any cores: they are served in order of arrival.
//   close() and the getters may be called at any time from any thread; moving and destroying only when no
//   call is under way.
// Errors: see io_error.h.
// Lifetime: as a tcp_stream, it belongs to the runtime whose fiber made it, and may outlive it.
class WEFT_API tcp_listener {
 public:
  tcp_listener() noexcept;

  // Listens at `where`; port 0 lets the system choose one (see local_endpoint()). For fibers only.
  // Errors: address_in_use, address_not_available, permission_denied, invalid_argument (a backlog below 1), ...
  explicit tcp_listener(const endpoint& where, const listen_options& options = {});

  ~tcp_listener();  // close()
  tcp_listener(tcp_listener&&) noexcept;
  tcp_listener& operator=(tcp_listener&&) noexcept;  // Closes the listener that is replaced.

  // The constructor by name, and without exceptions.
  static tcp_listener listen(const endpoint& where, const listen_options& options = {});
  static tcp_listener listen(const endpoint& where, std::error_code& ec, const listen_options& options = {}) noexcept;

  // Waits for the next connection and takes it. A connection that its peer gave up before it was taken is skipped. When
  // the process or the system has no descriptor or memory left, accept() holds off as its options say and tries again:
  // it does not spin, the connection waits in the backlog, and existing connections go on.
  // Cancel: no connection is lost.
  // Blocks: the calling fiber, until a connection, the deadline, close() or cancellation.
  [[nodiscard]] tcp_stream accept(deadline limit = {});
  tcp_stream accept(std::error_code& ec, deadline limit = {}) noexcept;

  // Stops listening: waiting calls return bad_file_descriptor, connections not yet taken are reset, those
  // taken go on. Once is enough, twice no error.
  void close() noexcept;

  bool is_open() const noexcept;
  int native_handle() const noexcept;  // -1 when closed.

  // Where it listens, with the port that the system chose. Also after close(); 0.0.0.0:0 if it never listened.
  endpoint local_endpoint() const noexcept;

 private:
  friend struct detail::socket_access;
  explicit tcp_listener(std::unique_ptr<detail::listener_socket> socket) noexcept;

  std::unique_ptr<detail::listener_socket> socket_;
};

// `count` listeners at one address, for one accepting fiber on each core: the kernel spreads new connections over them.
// A listener that nobody accepts from keeps its share waiting. Port 0 is chosen once, and shared. `reuse_port` counts
// as set.
// Returns: `count` listeners with the same local_endpoint(), or none of them and the error of the first that failed.
// Errors: as for tcp_listener, and invalid_argument for a count of 0.
WEFT_API std::vector<tcp_listener> listen_on_every_core(const endpoint& where, std::size_t count,
                                                        const listen_options& options = {});
WEFT_API std::vector<tcp_listener> listen_on_every_core(const endpoint& where, std::size_t count, std::error_code& ec,
                                                        const listen_options& options = {}) noexcept;

}  // namespace net
}  // namespace weft::inline v0
