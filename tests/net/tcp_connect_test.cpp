#include "net/loopback.h"
#include "support/replaced_system_calls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace weft_test {
namespace {

// Where nobody listens: the port was free a moment ago.
endpoint closed_port() {
  tcp_listener listener(any_port());
  return listener.local_endpoint();
}

// A listener whose queue is full: Linux then drops further connection requests, and connecting waits.
struct full_listener {
  full_listener() : listener(any_port(), {.backlog = 1}) {
    for (tcp_info queue = queued(); queue.tcpi_unacked <= queue.tcpi_sacked; queue = queued()) {
      waiting.push_back(tcp_stream::connect(listener.local_endpoint(), patience));
      // The client knows of its connection a moment before the listener does.
      if (!yield_until([&] { return queued().tcpi_unacked == waiting.size(); })) break;
    }
    EXPECT_EQ(queued().tcpi_unacked, waiting.size());
  }

  // Of a listener: how many connections wait, and how many may.
  tcp_info queued() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    EXPECT_EQ(getsockopt(listener.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info;
  }

  tcp_listener listener;
  std::vector<tcp_stream> waiting;
};

TEST(tcp_connect, names_the_address_that_refuses) {
  on_every_width([] {
    const endpoint nobody = closed_port();
    const auto failure = failure_of([&] { tcp_stream::connect(nobody, patience); });
    EXPECT_EQ(failure.code(), std::errc::connection_refused);
    EXPECT_EQ(failure.what(), "tcp_stream::connect to " + nobody.to_string() + ": Connection refused");
    std::error_code ec;
    EXPECT_FALSE(tcp_stream::connect(nobody, ec, patience).is_open());
    EXPECT_EQ(ec, std::errc::connection_refused);
  });
}

TEST(tcp_connect, gives_up_at_its_deadline) {
  on_every_reactor([] {
    full_listener full;
    const auto failure = failure_of([&] { tcp_stream::connect(full.listener.local_endpoint(), 20ms); });
    EXPECT_EQ(failure.code(), std::errc::timed_out);
    EXPECT_EQ(failure.what(),
              "tcp_stream::connect to " + full.listener.local_endpoint().to_string() + ": Connection timed out");
  });
}

TEST(tcp_connect, ends_when_its_fiber_is_cancelled) {
  on_every_width([] {
    full_listener full;
    auto connecting = weft::spawn([&] { tcp_stream::connect(full.listener.local_endpoint()); });
    let_others_run();
    connecting.cancel();
    EXPECT_THROW(connecting.join(), weft::join_cancelled);
  });
}

TEST(tcp_connect, speaks_v6) {
  on_every_width([] {
    auto [client, server] = connect_pair({}, ip_address("::1"));
    client.write("six");
    EXPECT_EQ(read_text(server), "six");
    EXPECT_TRUE(server.remote_endpoint().address().is_v6());
    EXPECT_EQ(server.remote_endpoint(), client.local_endpoint());
  });
}

TEST(tcp_connect, reaches_a_listener_of_both_families_by_v4) {
  on_every_width([] {
    tcp_listener both(any_port(ip_address("::")));
    const endpoint by_v4(ip_address::loopback(), both.local_endpoint().port());
    tcp_stream client = tcp_stream::connect(by_v4, patience);
    const tcp_stream server = both.accept(patience);
    EXPECT_EQ(server.remote_endpoint().address().to_string(), "::ffff:127.0.0.1");
    EXPECT_EQ(server.remote_endpoint().address().unmapped(), client.local_endpoint().address());
  });
}

TEST(tcp_connect, does_not_reach_a_listener_of_v6_only_by_v4) {
  on_every_width([] {
    tcp_listener six(any_port(ip_address("::")), {.v6_only = true});
    std::error_code ec;
    tcp_stream::connect(endpoint(ip_address::loopback(), six.local_endpoint().port()), ec, patience);
    EXPECT_EQ(ec, std::errc::connection_refused);
  });
}

TEST(tcp_connect, starts_from_the_local_address_that_it_is_given) {
  on_every_width([] {
    tcp_listener listener(any_port());
    connect_options options;
    options.local = endpoint("127.0.0.2:0");
    tcp_stream client = tcp_stream::connect(listener.local_endpoint(), options, patience);
    EXPECT_EQ(client.local_endpoint().address(), ip_address("127.0.0.2"));
    EXPECT_EQ(listener.accept(patience).remote_endpoint(), client.local_endpoint());
    options.local = endpoint("192.0.2.1:0");
    std::error_code ec;
    tcp_stream::connect(listener.local_endpoint(), options, ec, patience);
    EXPECT_EQ(ec, std::errc::address_not_available);
  });
}

TEST(tcp_connect, is_for_fibers_only) {
  const auto failure = failure_of([] { tcp_stream::connect(endpoint("127.0.0.1:9")); });
  EXPECT_EQ(failure.code(), std::errc::operation_not_permitted);
  EXPECT_STREQ(failure.what(), "tcp_stream::connect to 127.0.0.1:9 (not called from a fiber): Operation not permitted");
}

TEST(tcp_connect, leaves_a_stream_that_can_be_closed_after_its_runtime) {
  const std::ptrdiff_t before = open_descriptors();
  {
    connection outliving = weft::run([] {
      connection pair = connect_pair();
      std::error_code ec;
      std::byte buffer[4];
      pair.server.read(buffer, ec, 1ms);  // Registered with a reactor.
      return pair;
    });
    EXPECT_TRUE(outliving.client.is_open());
    std::error_code ec;
    outliving.client.write("x", ec);
    EXPECT_EQ(ec, std::errc::operation_not_permitted);
    outliving.client.close();
  }
  EXPECT_EQ(open_descriptors(), before);
}

// Where the kernel gives a connecting socket the very port that it connects to, it connects to itself. Here each socket that
// is connected says so.
struct own_peer {
  static inline weft::detail::atomic<int> asked{0};

  own_peer() { asked.store(0, weft::detail::relaxed); }
  const replaced_system_calls replaced{[](weft::detail::system_calls& table) {
    table.getsockname = [](int fd, sockaddr* address, socklen_t* size) noexcept {
      const int result = weft::detail::real_system_calls().getpeername(fd, address, size);
      if (result != 0) return weft::detail::real_system_calls().getsockname(fd, address, size);
      asked.fetch_add(1, weft::detail::relaxed);
      return result;
    };
  }};
};

void expect_refused(const endpoint& peer, const connect_options& options = {}) {
  const int asked_before = own_peer::asked.load(weft::detail::relaxed);
  std::error_code ec;
  tcp_stream::connect(peer, options, ec, patience);
  EXPECT_EQ(ec, std::errc::connection_refused) << peer.to_string();
  EXPECT_EQ(own_peer::asked.load(weft::detail::relaxed), asked_before + 3);
}

TEST(tcp_connect, does_not_take_itself_for_a_listener) {
  const own_peer connects_to_itself;
  weft::run([] {
    tcp_listener listener(any_port());
    expect_refused(listener.local_endpoint());
  });
}

TEST(tcp_connect, does_not_take_itself_for_a_listener_at_any_address) {
  const own_peer connects_to_itself;
  weft::run([] {
    tcp_listener four(any_port());
    expect_refused(endpoint(ip_address("0.0.0.0"), four.local_endpoint().port()));
    std::error_code ec;
    const tcp_listener six = tcp_listener::listen(any_port(ip_address("::1")), ec);
    if (!ec) expect_refused(endpoint(ip_address("::"), six.local_endpoint().port()));
  });
}

TEST(tcp_connect, does_not_take_itself_for_a_listener_from_an_address_without_a_port) {
  const own_peer connects_to_itself;
  weft::run([] {
    tcp_listener listener(any_port());
    connect_options options;
    options.local = any_port();
    expect_refused(listener.local_endpoint(), options);
  });
}

TEST(tcp_connect, takes_itself_where_its_own_port_is_asked_for) {
  weft::run([] {
    connect_options options;
    {
      const tcp_listener unused(any_port());
      options.local = unused.local_endpoint();
    }
    tcp_stream stream = tcp_stream::connect(*options.local, options, patience);
    EXPECT_EQ(stream.local_endpoint(), stream.remote_endpoint());
    stream.write("to itself");
    EXPECT_EQ(read_text(stream), "to itself");
  });
}

TEST(tcp_connect, goes_on_after_a_signal) {
  static weft::detail::atomic<int> interrupted{0};
  const replaced_system_calls replaced([](weft::detail::system_calls& table) {
    table.connect = [](int fd, const sockaddr* address, socklen_t size) noexcept {
      const int result = weft::detail::real_system_calls().connect(fd, address, size);
      interrupted.fetch_add(1, weft::detail::relaxed);
      return result == -EINPROGRESS ? -EINTR : result;
    };
    table.recv = [](int fd, void* data, std::size_t size, int flags) noexcept -> ssize_t {
      if (interrupted.fetch_add(1, weft::detail::relaxed) % 3 != 0) return -EINTR;
      return weft::detail::real_system_calls().recv(fd, data, size, flags);
    };
    table.send = [](int fd, const void* data, std::size_t size, int flags) noexcept -> ssize_t {
      if (interrupted.fetch_add(1, weft::detail::relaxed) % 3 != 0) return -EINTR;
      return weft::detail::real_system_calls().send(fd, data, size, flags);
    };
  });
  weft::run([] {
    auto [client, server] = connect_pair();
    for (int i = 0; i < 20; ++i) {
      client.write("again");
      EXPECT_EQ(read_text(server), "again");
    }
  });
}

}  // namespace
}  // namespace weft_test
