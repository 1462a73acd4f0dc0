// What all connections share.
#pragma once

#include "directory.h"
#include "settings.h"

#include <atomic>
#include <cstddef>

namespace file_server {

struct server {
  directory top;
  settings limits;

  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> answering{0};  // Connections with a request that is not answered in full.
  std::atomic<bool> is_stopping{false};   // Every answer from now on is the last of its connection.
};

}  // namespace file_server
