// What a tcp_listener owns, and its calls without the public face.
#pragma once

#include "net/accept_turn.h"
#include "net/stream_socket.h"

#include <weft/net/tcp_listener.h>

#include <cstdint>
#include <memory>

namespace weft::inline v0::detail {

struct listener_socket {
  socket_handle handle;
  accept_turn turn;
  net::endpoint where;  // Constant once the listener is handed out, as are the two below.
  std::int64_t first_backoff = 0;
  std::int64_t last_backoff = 0;
};

// 0 or an errno value, and what of the input was wrong if that is known.
struct listening {
  std::unique_ptr<listener_socket> socket;
  int error = 0;
  const char* what = "";
};
listening listen_at(const net::endpoint& where, const net::listen_options& options) noexcept;

struct accepted {
  std::unique_ptr<stream_socket> socket;
  int error = 0;
};
// `listener` may be null: EBADF.
accepted accept_next(listener_socket* listener, std::int64_t deadline) noexcept;

void close_listener(listener_socket& listener) noexcept;

}  // namespace weft::inline v0::detail
