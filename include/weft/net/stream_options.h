// What can be set on a TCP connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace weft::inline v0::net {

// As an argument: what is not set stays as it is. As a result: everything is set.
//
// The default of `no_delay` for streams made by connect() and accept() is true: what is written is sent at
// once, and a program that writes small pieces gathers them itself (see tcp_stream::write).
struct stream_options {
  std::optional<bool> no_delay{};  // TCP_NODELAY

  // SO_KEEPALIVE: probe an idle peer, and end the connection with an error once it does not answer.
  std::optional<bool> keep_alive{};
  std::optional<std::chrono::seconds> keep_alive_idle{};      // Until the first probe; 1 s to 32767 s.
  std::optional<std::chrono::seconds> keep_alive_interval{};  // Between probes; 1 s to 32767 s.
  std::optional<int> keep_alive_probes{};                     // Unanswered ones that end it; 1 to 127.

  // SO_LINGER with zero: close() drops what is not yet sent and resets the connection. There is no other
  // lingering: it would block a whole core in close(). To know that the peer has it all, shutdown(write) and
  // read to the end.
  std::optional<bool> reset_on_close{};

  // Bytes of kernel memory for each direction. The system rounds and limits them (Linux reports twice what was asked).
  // Set before connecting or listening, they also set how much may be under way; afterwards they only limit it.
  std::optional<std::size_t> receive_buffer_bytes{};
  std::optional<std::size_t> send_buffer_bytes{};
};

}  // namespace weft::inline v0::net
