// What a run shall do.
#pragma once

#include <weft/deadline.h>
#include <weft/net/address.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace http_load {

struct plan {
  weft::net::endpoint where{};
  std::string request{};  // One, as it goes over the wire.
  bool is_head = false;   // Its answers have no body.
  unsigned status = 200;  // That they are expected to have.
  bool lengths_vary = false;
  std::size_t depth = 1;  // Requests on their way at once on each connection.
  std::chrono::nanoseconds answer_time{};
  weft::deadline end{};

  std::atomic<std::int64_t> requests_left{std::numeric_limits<std::int64_t>::max()};
  std::atomic<std::int64_t> body_length{-1};  // Of the first answer; -1 before it.

  bool is_over() const noexcept {
    return requests_left.load(std::memory_order_relaxed) <= 0 || weft::deadline(std::chrono::nanoseconds(0)) >= end;
  }

  // How many requests, up to `most`, may be sent now.
  std::size_t take(std::size_t most) noexcept {
    std::int64_t left = requests_left.load(std::memory_order_relaxed);
    std::int64_t taken = 0;
    do {
      taken = std::clamp<std::int64_t>(left, 0, static_cast<std::int64_t>(most));
    } while (!requests_left.compare_exchange_weak(left, left - taken, std::memory_order_relaxed));
    return static_cast<std::size_t>(taken);
  }
  void give_back(std::size_t count) noexcept {
    requests_left.fetch_add(static_cast<std::int64_t>(count), std::memory_order_relaxed);
  }
};

}  // namespace http_load
