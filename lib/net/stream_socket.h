// What a tcp_stream owns: the socket, who is in the middle of a call, and whom it talks to.
#pragma once

#include "net/direction_turn.h"
#include "net/socket_handle.h"

#include <weft/net/address.h>

namespace weft::inline v0::detail {

struct stream_socket {
  socket_handle handle;
  direction_turn reading;
  direction_turn writing;
  net::endpoint peer;  // Constant once the stream is handed out.
};

}  // namespace weft::inline v0::detail
