// Endpoints as the system calls take and give them.
#pragma once

#include <weft/net/address.h>

#include <netinet/in.h>
#include <sys/socket.h>

namespace weft::inline v0::detail {

class socket_address {
 public:
  // Room for whatever a call will fill in.
  socket_address() noexcept : size_(sizeof storage_), storage_{} {}

  explicit socket_address(const net::endpoint& where) noexcept;

  sockaddr* data() noexcept { return &storage_.any; }
  const sockaddr* data() const noexcept { return &storage_.any; }
  socklen_t size() const noexcept { return size_; }
  socklen_t* size_to_fill() noexcept { return &size_; }
  int family() const noexcept { return storage_.any.sa_family; }

  // 0.0.0.0:0 for an address of another family.
  net::endpoint to_endpoint() const noexcept;

 private:
  union storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };

  socklen_t size_;
  storage storage_;
};

}  // namespace weft::inline v0::detail
