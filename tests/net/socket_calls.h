// Every call of a socket that blocks, with what wakes it, and a count of its bytes; for support/cancel_storm.h.
#pragma once

#include "net/loopback.h"
#include "support/cancel_storm.h"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace weft_test {

// A cancelled call in its form with an error code tells what it has moved; the next suspension then throws.
inline void end_unless_done(const std::error_code& ec) {
  if (ec == std::errc::operation_canceled) weft::this_fiber::yield();
  EXPECT_FALSE(ec) << ec.message();
}

struct accepting {
  tcp_listener listener{any_port()};
  std::optional<tcp_stream> taken;
  int client = -1;

  ~accepting() {
    if (client >= 0) ::close(client);
  }
  bool connect() {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener.local_endpoint().port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return ::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
};

inline blocking_call accept_call() {
  auto state = std::make_shared<accepting>();
  return {[state] { state->taken = state->listener.accept(); }, [state] { return state->connect(); },
          [state](bool happened) {
            EXPECT_EQ(state->taken.has_value(), happened);
            if (!happened) {
              EXPECT_TRUE(state->listener.accept(patience).is_open()) << "a connection was lost";
            }
          }};
}

// A stream into which its peer writes once.
struct reading {
  static constexpr std::size_t size = 3'000;
  connection ends = connect_pair();
  const int peer = ends.server.native_handle();
  std::vector<std::byte> buffer = std::vector<std::byte>(size);
  std::size_t got = 0;

  bool write_all() {
    const std::string text = numbered_text(size);
    EXPECT_EQ(::send(peer, text.data(), size / 3, MSG_NOSIGNAL), static_cast<ssize_t>(size / 3));
    EXPECT_EQ(::send(peer, text.data() + size / 3, size - size / 3, MSG_NOSIGNAL),
              static_cast<ssize_t>(size - size / 3));
    return true;
  }
  void check_rest() {
    if (got < size) {
      EXPECT_EQ(ends.client.read_exactly(std::span(buffer).subspan(got), patience), size - got);
    }
    const std::string text(reinterpret_cast<const char*>(buffer.data()), size);
    EXPECT_EQ(text, numbered_text(size)) << "after " << got << " bytes";
  }
};

template <class Read>
blocking_call read_call(Read read) {
  auto state = std::make_shared<reading>();
  return {[state, read] { read(*state); }, [state] { return state->write_all(); },
          [state](bool) { state->check_rest(); }};
}

// A stream whose peer takes nothing until it is told to.
struct writing {
  static constexpr std::size_t size = 600'000;
  connection ends = connect_pair();
  const int peer = ends.server.native_handle();
  inline static const std::string text = numbered_text(size);
  std::string taken;
  std::size_t told = 0;  // The number of bytes that the call says it has written.
  int file = -1;

  writing() {
    ends.client.set_options({.send_buffer_bytes = 100'000});  // What fits into the buffers is written without waiting.
  }
  ~writing() {
    if (file >= 0) ::close(file);
  }
  void make_file() {
    file = ::memfd_create("cancel_storm", MFD_CLOEXEC);
    EXPECT_EQ(::pwrite(file, text.data(), size, 0), static_cast<ssize_t>(size));
  }
  // False until everything has come.
  bool take_some() {
    char buffer[8'192];
    const ssize_t n = ::recv(peer, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n > 0) taken.append(buffer, static_cast<std::size_t>(n));
    return taken.size() >= size;
  }
  void check_rest(bool happened) {
    ends.client.shutdown(shutdown_mode::write);
    taken += read_to_end(ends.server);
    EXPECT_EQ(taken.size(), told);
    EXPECT_TRUE(!happened || told == size);
    EXPECT_TRUE(taken == text.substr(0, taken.size())) << "after " << taken.size() << " bytes";
  }
};

template <class Write>
blocking_call write_call(bool needs_file, Write write) {
  auto state = std::make_shared<writing>();
  if (needs_file) state->make_file();
  return {[state, write] {
            std::error_code ec;
            write(*state, ec);
            end_unless_done(ec);
          },
          [state] { return state->take_some(); }, [state](bool happened) { state->check_rest(happened); }};
}

inline std::vector<named_call> socket_calls() {
  return {
      {"accept", accept_call},
      {"read", [] { return read_call([](reading& r) { r.got = r.ends.client.read(r.buffer); }); }},
      {"timed read", [] { return read_call([](reading& r) { r.got = r.ends.client.read(r.buffer, patience); }); }},
      {"read_exactly",
       [] {
         return read_call([](reading& r) {
           std::error_code ec;
           r.got = r.ends.client.read_exactly(r.buffer, ec);
           end_unless_done(ec);
         });
       }},
      {"write",
       [] {
         return write_call(false, [](writing& w, std::error_code& ec) { w.told = w.ends.client.write(w.text, ec); });
       }},
      {"write_some",
       [] {
         return write_call(false, [](writing& w, std::error_code& ec) {
           while (w.told < writing::size && !ec) {
             w.told += w.ends.client.write_some(bytes(w.text).subspan(w.told), ec);
           }
         });
       }},
      {"send_file",
       [] {
         return write_call(true, [](writing& w, std::error_code& ec) {
           w.told = w.ends.client.send_file(w.file, 0, writing::size, ec);
         });
       }},
      {"connect",
       [] {
         auto listener = std::make_shared<tcp_listener>(any_port());
         return blocking_call{[listener] { tcp_stream::connect(listener->local_endpoint()); }, [] { return true; },
                              [](bool) {}, /*happens_by_itself=*/true};
       }},
  };
}

}  // namespace weft_test
