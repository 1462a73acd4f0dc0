// What the server allows its clients.
#pragma once

#include <chrono>
#include <cstddef>

namespace file_server {

using namespace std::chrono_literals;

struct settings {
  bool lists_folders = false;  // A folder without index.html: a list of what is in it, or 403.

  std::chrono::nanoseconds header_time = 10s;  // From the first byte of a request to the end of its header.
  std::chrono::nanoseconds idle_time = 60s;    // Between two requests.
  std::chrono::nanoseconds stall_time = 30s;   // In which a client must take `least_bytes_per_stall`.
  std::size_t least_bytes_per_stall = std::size_t{30} << 10;

  std::size_t header_bytes = std::size_t{32} << 10;
  std::size_t line_bytes = std::size_t{8} << 10;
  std::size_t header_fields = 100;
  std::size_t body_bytes = std::size_t{64} << 10;  // Of a request; read and thrown away.

  std::size_t requests_per_connection = 1000;
  std::size_t connections = 10'000;
};

}  // namespace file_server
