#include "net/socket_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace weft::inline v0::detail {

socket_address::socket_address(const net::endpoint& where) noexcept : socket_address() {
  const net::ip_address& address = where.address();
  if (address.is_v4()) {
    storage_.v4 = {};
    storage_.v4.sin_family = AF_INET;
    storage_.v4.sin_port = htons(where.port());
    std::memcpy(&storage_.v4.sin_addr, address.bytes().data(), sizeof storage_.v4.sin_addr);
    size_ = sizeof storage_.v4;
  } else {
    storage_.v6 = {};
    storage_.v6.sin6_family = AF_INET6;
    storage_.v6.sin6_port = htons(where.port());
    storage_.v6.sin6_scope_id = address.scope_id();
    std::memcpy(&storage_.v6.sin6_addr, address.bytes().data(), sizeof storage_.v6.sin6_addr);
    size_ = sizeof storage_.v6;
  }
}

net::endpoint socket_address::to_endpoint() const noexcept {
  if (family() == AF_INET) {
    net::ip_address::v4_bytes bytes;
    std::memcpy(bytes.data(), &storage_.v4.sin_addr, bytes.size());
    return {net::ip_address(bytes), ntohs(storage_.v4.sin_port)};
  }
  if (family() == AF_INET6) {
    net::ip_address::v6_bytes bytes;
    std::memcpy(bytes.data(), &storage_.v6.sin6_addr, bytes.size());
    return {net::ip_address(bytes, storage_.v6.sin6_scope_id), ntohs(storage_.v6.sin6_port)};
  }
  return {};
}

}  // namespace weft::inline v0::detail
