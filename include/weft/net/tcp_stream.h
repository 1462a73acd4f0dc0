// One TCP connection, read and written in blocking style by fibers.
#pragma once

#include <weft/deadline.h>
#include <weft/io_error.h>
#include <weft/net/address.h>
#include <weft/net/stream_options.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

namespace weft::inline v0 {

namespace detail {
struct stream_socket;
struct socket_access;
}

namespace net {

enum class shutdown_mode { read, write, both };

struct connect_options {
  std::optional<endpoint> local{};  // The own address; port 0 lets the system choose one.
  stream_options stream{.no_delay = true};
};

// A connection, or nothing: then it is closed, and every call but close() fails with bad_file_descriptor.
//
// Thread safety: one fiber may read while another writes, on any cores. A second read (or write) while one is
//   under way fails with device_or_resource_busy and disturbs nothing. close(), shutdown() and the getters
//   may be called at any time from any thread; moving and destroying only when no call is under way.
// Errors: see io_error.h. A peer that is gone is an error (broken_pipe, connection_reset), never a signal.
// Cancel: a call that has moved no byte has no effect; a write that is cancelled, times out or fails in the
//   middle has sent an unknown part, so the connection should be closed.
// Blocks: the calling fiber, until done, the deadline, close() or cancellation. Connecting, reading and
//   writing are for fibers only; a plain thread gets operation_not_permitted.
// Lifetime: a stream belongs to the runtime whose fiber made it: only fibers of that one read and write it.
//   It may outlive the runtime, and then can be closed.
class WEFT_API tcp_stream {
 public:
  tcp_stream() noexcept;
  ~tcp_stream();  // close()
  tcp_stream(tcp_stream&&) noexcept;
  tcp_stream& operator=(tcp_stream&&) noexcept;  // Closes the stream that is replaced.

  // Connects to `peer`.
  // Errors: connection_refused, timed_out, network_unreachable, address_not_available, ...
  static tcp_stream connect(const endpoint& peer, deadline limit = {});
  static tcp_stream connect(const endpoint& peer, const connect_options& options, deadline limit = {});
  static tcp_stream connect(const endpoint& peer, std::error_code& ec, deadline limit = {}) noexcept;
  static tcp_stream connect(const endpoint& peer, const connect_options& options, std::error_code& ec,
                            deadline limit = {}) noexcept;

  // Reads what has come, waiting for at least one byte. The list form fills its buffers in order, at most 64 of them in
  // one call. Does not allocate.
  // Returns: the number of bytes; 0 at the end of the stream, and for a buffer of no bytes, which tells nothing.
  [[nodiscard]] std::size_t read(std::span<std::byte> buffer, deadline limit = {});
  [[nodiscard]] std::size_t read(std::span<const std::span<std::byte>> buffers, deadline limit = {});
  std::size_t read(std::span<std::byte> buffer, std::error_code& ec, deadline limit = {}) noexcept;
  std::size_t read(std::span<const std::span<std::byte>> buffers, std::error_code& ec, deadline limit = {}) noexcept;

  // Fills the whole buffer.
  // Returns: the size of the buffer, or 0 where the stream ends before its first byte. With `ec` set: the bytes read.
  // Errors: io_errc::end_of_stream where the stream ends after the first byte and before the last.
  [[nodiscard]] std::size_t read_exactly(std::span<std::byte> buffer, deadline limit = {});
  std::size_t read_exactly(std::span<std::byte> buffer, std::error_code& ec, deadline limit = {}) noexcept;

  // Writes everything: returns once the system has taken the last byte. The list form writes its parts in order, any
  // number of them, with as few system calls as it can. Does not allocate.
  // Returns: with `ec`, the bytes that the system took, all of them unless `ec` is set.
  void write(std::span<const std::byte> data, deadline limit = {});
  void write(std::span<const std::span<const std::byte>> parts, deadline limit = {});
  void write(std::string_view text, deadline limit = {});
  std::size_t write(std::span<const std::byte> data, std::error_code& ec, deadline limit = {}) noexcept;
  std::size_t write(std::span<const std::span<const std::byte>> parts, std::error_code& ec,
                    deadline limit = {}) noexcept;
  std::size_t write(std::string_view text, std::error_code& ec, deadline limit = {}) noexcept;

  // As write(), for what another write() or send_file() follows at once: the system may keep it back, for a fifth of a second
  // at most, so as to send both in one packet.
  void write_ahead(std::span<const std::byte> data, deadline limit = {});
  std::size_t write_ahead(std::span<const std::byte> data, std::error_code& ec, deadline limit = {}) noexcept;

  // Writes what the system takes at once, waiting until that is at least one byte (none, if there are none).
  [[nodiscard]] std::size_t write_some(std::span<const std::byte> data, deadline limit = {});
  std::size_t write_some(std::span<const std::byte> data, std::error_code& ec, deadline limit = {}) noexcept;

  // Writes `count` bytes of the open file `file`, from `offset` on, without copying them through the program.
  // The file's own position neither counts nor moves. Reading a file that is not in memory blocks the core.
  // Returns: the bytes that the system took; fewer than `count` without an error only where the file ends.
  [[nodiscard]] std::size_t send_file(int file, std::uint64_t offset, std::size_t count, deadline limit = {});
  std::size_t send_file(int file, std::uint64_t offset, std::size_t count, std::error_code& ec,
                        deadline limit = {}) noexcept;

  // Ends one direction, or both: after `write` the peer reads to the end and may still answer; after `read` a waiting
  // and every later read returns 0 once what has come is read.
  // Blocks: never.
  void shutdown(shutdown_mode mode);
  void shutdown(shutdown_mode mode, std::error_code& ec) noexcept;

  // Ends the connection. Calls under way in other fibers return bad_file_descriptor. Once is enough, twice no error.
  void close() noexcept;

  bool is_open() const noexcept;

  // The socket, for options that have no place here; -1 when closed. It stays non-blocking and the stream's own.
  int native_handle() const noexcept;

  // Blocks: never.
  // Errors: bad_file_descriptor; for options also invalid_argument, the value being out of range.
  endpoint local_endpoint() const;
  endpoint local_endpoint(std::error_code& ec) const noexcept;
  endpoint remote_endpoint() const noexcept;  // As of connect() or accept(), also when closed; 0.0.0.0:0 if never open.
  stream_options options() const;
  stream_options options(std::error_code& ec) const noexcept;
  void set_options(const stream_options& options);
  void set_options(const stream_options& options, std::error_code& ec) noexcept;

 private:
  friend class tcp_listener;
  friend struct detail::socket_access;
  explicit tcp_stream(std::unique_ptr<detail::stream_socket> socket) noexcept;

  std::unique_ptr<detail::stream_socket> socket_;
};

}  // namespace net
}  // namespace weft::inline v0
