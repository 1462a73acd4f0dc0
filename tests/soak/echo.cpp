#include "soak/echo.h"

#include <weft/net/tcp.h>
#include <weft/weft.h>

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

namespace weft_soak {

using namespace std::chrono_literals;
using weft::net::endpoint;
using weft::net::ip_address;
using weft::net::tcp_listener;
using weft::net::tcp_stream;

namespace {

constexpr auto patience = 60s;

std::span<std::byte> room_in(std::string& text) { return std::as_writable_bytes(std::span(text)); }

void serve(tcp_stream stream) {
  std::string buffer(4096, '\0');
  std::error_code ec;
  while (const std::size_t got = stream.read(room_in(buffer), ec, patience)) {
    stream.write(std::string_view(buffer).substr(0, got), ec, patience);
    if (ec) return;
  }
}

// A server for as long as `clients(address)` runs.
template <class Clients>
void with_server(Clients clients) {
  tcp_listener listener(endpoint(ip_address::loopback(), 0));
  weft::with_scope([&](weft::scope& crew) {
    crew.spawn([&] {
      std::error_code ec;
      for (;;) {
        tcp_stream accepted = listener.accept(ec, patience);
        if (ec) break;
        crew.spawn([stream = std::move(accepted)]() mutable { serve(std::move(stream)); });
      }
      must(ec == std::errc::bad_file_descriptor, "accept() ended otherwise than by close()");
    });
    clients(listener.local_endpoint());
    listener.close();
  });
}

std::string random_text(std::size_t size, random_numbers& random) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// Sends and reads at once: both buffers of the kernel may be smaller than the text.
void echo_once(tcp_stream& stream, const std::string& text) {
  auto writer = weft::spawn([&] { stream.write(text, patience); });
  std::string back(text.size(), '\0');
  must(stream.read_exactly(room_in(back), patience) == text.size(), "a connection ended early");
  writer.join();
  must(back == text, "an echo differs from what was sent");
  operations.fetch_add(2, std::memory_order_relaxed);
}

}  // namespace

void echo(random_numbers& random) {
  with_server([&](const endpoint& address) {
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 8; ++i) {
        crew.spawn([&address, seed = random()] {
          random_numbers own(seed);
          tcp_stream stream = tcp_stream::connect(address, patience);
          for (int n = 0; n < 10; ++n) echo_once(stream, random_text(1 + own() % (n == 0 ? 300'000 : 5'000), own));
        });
      }
    });
  });
}

void broken_connections(random_numbers& random) {
  with_server([&](const endpoint& address) {
    std::vector<weft::fiber<void>> clients;
    for (int i = 0; i < 16; ++i) {
      clients.push_back(weft::spawn([&address, seed = random()] {
        random_numbers own(seed);
        tcp_stream stream = tcp_stream::connect(address, patience);
        std::error_code ec;
        std::string buffer = random_text(1 + own() % 10'000, own);
        stream.write(buffer, ec, patience);
        switch (own() % 4) {
          case 0: {
            const linger reset{1, 0};
            setsockopt(stream.native_handle(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            return;
          }
          case 1:
            return;
          case 2: {
            auto reader = weft::spawn([&] {
              std::error_code ended;
              while (stream.read(room_in(buffer), ended, patience) != 0) {
              }
            });
            stream.close();
            reader.join();
            return;
          }
          default:  // Waits until it is cancelled.
            while (stream.read(room_in(buffer), patience) != 0) {
            }
        }
      }));
    }
    weft::this_fiber::sleep_for(std::chrono::microseconds(random() % 2000));
    for (auto& client : clients) client.cancel();
    for (auto& client : clients) {
      try {
        client.join();
      } catch (const weft::join_cancelled&) {
      }
    }
    operations.fetch_add(clients.size(), std::memory_order_relaxed);
  });
}

}  // namespace weft_soak
