#include <weft/net/select_cases.h>

#include "io/failure.h"
#include "net/listener_socket.h"
#include "net/stream_socket.h"

#include <cerrno>

namespace weft::inline v0::detail {

descriptor* socket_access::watched(net::tcp_stream& stream) {
  if (stream.socket_ == nullptr) throw_failure(EBADF, {"weft::select", "on a tcp_stream", "it was never open"});
  return &stream.socket_->handle.watched();
}

descriptor* socket_access::watched(net::tcp_listener& listener) {
  if (listener.socket_ == nullptr) throw_failure(EBADF, {"weft::select", "on a tcp_listener", "it was never open"});
  return &listener.socket_->handle.watched();
}

}  // namespace weft::inline v0::detail
