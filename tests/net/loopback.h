// What the tests of connections share: both ends of a connection over loopback.
#pragma once

#include "support/with_cores.h"

#include <weft/net/tcp.h>
#include <weft/run.h>
#include <weft/this_fiber.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace weft_test {

using weft::net::connect_options;
using weft::net::endpoint;
using weft::net::ip_address;
using weft::net::listen_options;
using weft::net::shutdown_mode;
using weft::net::tcp_listener;
using weft::net::tcp_stream;

// Longer than anything here takes on a busy machine: reaching it is a failure.
inline constexpr auto patience = 20s;

inline std::ptrdiff_t open_descriptors() { return footprint::now().descriptors; }

template <class Body>
void on_every_width(Body body) {
  with_cores(adaptive_only, body);
}

template <class Body>
void on_every_reactor(Body body) {
  with_cores(every_reactor, body);
}

inline endpoint any_port(ip_address address = ip_address::loopback()) { return {address, 0}; }

struct connection {
  tcp_stream client;
  tcp_stream server;
};

inline connection connect_pair(const listen_options& options = {}, ip_address address = ip_address::loopback()) {
  tcp_listener listener(any_port(address), options);
  tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
  return {std::move(client), listener.accept(patience)};
}

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// What one read brings, as text.
inline std::string read_text(tcp_stream& stream, std::size_t most = 4096) {
  std::string text(most, '\0');
  text.resize(stream.read(std::as_writable_bytes(std::span(text)), patience));
  return text;
}

inline std::string read_to_end(tcp_stream& stream) {
  std::string all;
  for (std::string piece = read_text(stream, 65536); !piece.empty(); piece = read_text(stream, 65536)) all += piece;
  return all;
}

// A text in which every position differs from its neighbours, so that lost or doubled pieces show.
inline std::string numbered_text(std::size_t size) {
  std::string text;
  for (std::size_t number = 0; text.size() < size; ++number) text += std::to_string(number) + ' ';
  text.resize(size);
  return text;
}

// Lets everything that is ready run, and the poller look, often enough.
inline void let_others_run() {
  for (int i = 0; i < 500; ++i) weft::this_fiber::yield();
}

// What `call` throws as std::system_error.
template <class Call>
std::system_error failure_of(Call&& call) {
  try {
    call();
  } catch (const std::system_error& failure) {
    return failure;
  }
  ADD_FAILURE() << "nothing was thrown";
  return std::system_error(std::error_code());
}

}  // namespace weft_test
