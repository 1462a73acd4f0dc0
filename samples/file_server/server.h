// What all connections share.
#pragma once

#include "directory.h"
#include "settings.h"

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace file_server {

struct server {
  directory top;
  settings limits;

  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> answering{0};  // Connections with a request that is not answered in full.
  std::atomic<bool> is_stopping{false};   // Every answer from now on is the last of its connection.
};

// The right to be one of the connections that the server allows at once; given back at its end.
class connection_ticket {
 public:
  // Nothing if there are as many as there may be.
  static std::optional<connection_ticket> take(server& from) {
    std::optional<connection_ticket> taken(connection_ticket{from});
    if (from.connections.fetch_add(1, std::memory_order_relaxed) >= from.limits.connections) taken.reset();
    return taken;
  }

  connection_ticket(connection_ticket&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
  connection_ticket& operator=(connection_ticket&&) = delete;
  ~connection_ticket() {
    if (from_ != nullptr) from_->connections.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  explicit connection_ticket(server& from) noexcept : from_(&from) {}

  server* from_;
};

}  // namespace file_server
