#include "net/loopback.h"

#include <weft/detail/atomic.h>

#include <sys/socket.h>
#include <unistd.h>

namespace weft_test {
namespace {

TEST(tcp_listener, is_told_the_port_that_the_system_chose) {
  on_every_width([] {
    tcp_listener listener(any_port());
    EXPECT_EQ(listener.local_endpoint().address(), ip_address::loopback());
    EXPECT_NE(listener.local_endpoint().port(), 0);
    EXPECT_TRUE(listener.is_open());
    EXPECT_GE(listener.native_handle(), 0);
  });
}

TEST(tcp_listener, names_an_address_in_use) {
  on_every_width([] {
    tcp_listener first(any_port());
    const auto failure = failure_of([&] { tcp_listener(first.local_endpoint()); });
    EXPECT_EQ(failure.code(), std::errc::address_in_use);
    EXPECT_EQ(failure.what(),
              "tcp_listener::listen on " + first.local_endpoint().to_string() + ": Address already in use");
    std::error_code ec;
    EXPECT_FALSE(tcp_listener::listen(first.local_endpoint(), ec).is_open());
    EXPECT_EQ(ec, std::errc::address_in_use);
  });
}

TEST(tcp_listener, names_what_it_cannot_listen_at) {
  on_every_width([] {
    const auto message = [](const endpoint& where, const listen_options& options) -> std::string {
      return failure_of([&] { tcp_listener(where, options); }).what();
    };
    EXPECT_EQ(message(endpoint("192.0.2.1:80"), {}),
              "tcp_listener::listen on 192.0.2.1:80: Cannot assign requested address");
    EXPECT_EQ(message(endpoint("127.0.0.1:0"), {.backlog = 0}),
              "tcp_listener::listen on 127.0.0.1:0 (the backlog is below 1): Invalid argument");
    EXPECT_EQ(message(endpoint("127.0.0.1:0"), {.first_backoff = 0ms}),
              "tcp_listener::listen on 127.0.0.1:0 (the back-off is not from 1 ms up): Invalid argument");
    EXPECT_EQ(message(endpoint("127.0.0.1:0"), {.first_backoff = 9ms, .last_backoff = 8ms}),
              "tcp_listener::listen on 127.0.0.1:0 (the back-off is not from 1 ms up): Invalid argument");
  });
}

TEST(tcp_listener, is_for_fibers_only) {
  EXPECT_STREQ(failure_of([] { tcp_listener(endpoint("127.0.0.1:0")); }).what(),
               "tcp_listener::listen on 127.0.0.1:0 (not called from a fiber): Operation not permitted");
  tcp_listener none;
  std::error_code ec;
  none.accept(ec);
  EXPECT_EQ(ec, std::errc::bad_file_descriptor);
}

// Its connections are left winding down, which keeps their address from a listener that does not reuse.
TEST(tcp_listener, takes_over_from_the_one_before_it) {
  on_every_width([] {
    endpoint where;
    {
      tcp_listener before(any_port());
      where = before.local_endpoint();
      tcp_stream client = tcp_stream::connect(where, patience);
      tcp_stream server = before.accept(patience);
      server.close();
      EXPECT_EQ(read_text(client), "");
    }
    std::error_code ec;
    tcp_listener::listen(where, ec, {.reuse_address = false});
    EXPECT_EQ(ec, std::errc::address_in_use);
    EXPECT_TRUE(tcp_listener(where).is_open());
  });
}

TEST(tcp_listener, gives_up_at_its_deadline_and_goes_on) {
  on_every_width([] {
    tcp_listener listener(any_port());
    const auto failure = failure_of([&] { (void)listener.accept(5ms); });
    EXPECT_EQ(failure.code(), std::errc::timed_out);
    EXPECT_EQ(failure.what(),
              "tcp_listener::accept on " + listener.local_endpoint().to_string() + ": Connection timed out");
    tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    EXPECT_TRUE(listener.accept(patience).is_open());
  });
}

TEST(tcp_listener, serves_any_number_of_accepting_fibers) {
  on_every_reactor([] {
    tcp_listener listener(any_port());
    weft::detail::atomic<int> served{0};
    std::vector<weft::fiber<void>> accepting;
    for (int i = 0; i < 8; ++i) {
      accepting.push_back(weft::spawn([&] {
        std::error_code ec;
        for (;;) {
          tcp_stream server = listener.accept(ec, patience);
          if (ec) break;
          served.fetch_add(1, weft::detail::relaxed);
          server.write("hello");
        }
        EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      }));
    }
    for (int i = 0; i < 100; ++i) {
      tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
      EXPECT_EQ(read_to_end(client), "hello");
    }
    listener.close();
    for (auto& fiber : accepting) fiber.join();
    EXPECT_EQ(served.load(weft::detail::relaxed), 100);
  });
}

TEST(tcp_listener, serves_accepting_fibers_in_order_of_arrival) {
  weft::options one_core;  // So that they arrive in the order of their spawning.
  one_core.cores = 1;
  weft::run(one_core, [] {
    tcp_listener listener(any_port());
    std::vector<weft::fiber<endpoint>> accepting;
    for (int i = 0; i < 5; ++i) {
      accepting.push_back(weft::spawn([&] { return listener.accept(patience).remote_endpoint(); }));
      let_others_run();
    }
    for (auto& fiber : accepting) {
      const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
      EXPECT_EQ(fiber.join(), client.local_endpoint());
    }
  });
}

TEST(tcp_listener, lets_one_accepting_fiber_go_and_keeps_the_others) {
  on_every_width([] {
    tcp_listener listener(any_port());
    const auto accepting = [&listener](weft::deadline limit) {
      return weft::spawn([&listener, limit] {
        std::error_code ec;
        listener.accept(ec, limit);
        return ec;
      });
    };
    auto leads = accepting(patience);
    let_others_run();
    auto limited = accepting(10ms);
    auto patient = accepting(patience);
    EXPECT_EQ(limited.join(), std::errc::timed_out);
    leads.cancel();
    let_others_run();
    const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    EXPECT_FALSE(patient.join());
    try {
      EXPECT_EQ(leads.join(), std::errc::operation_canceled);
    } catch (const weft::join_cancelled&) {
    }
  });
}

TEST(tcp_listener, wakes_every_accepting_fiber_when_it_closes) {
  on_every_reactor([] {
    tcp_listener listener(any_port());
    std::vector<weft::fiber<std::error_code>> accepting;
    for (int i = 0; i < 10; ++i) {
      accepting.push_back(weft::spawn([&] {
        std::error_code ec;
        listener.accept(ec, patience);
        return ec;
      }));
    }
    let_others_run();
    listener.close();
    for (auto& fiber : accepting) EXPECT_EQ(fiber.join(), std::errc::bad_file_descriptor);
    EXPECT_FALSE(listener.is_open());
    EXPECT_EQ(failure_of([&] { (void)listener.accept(); }).what(),
              "tcp_listener::accept on " + listener.local_endpoint().to_string() + ": Bad file descriptor");
  });
}

auto accepting_error(tcp_listener& listener) {
  return weft::spawn([&listener] {
    std::error_code ec;
    listener.accept(ec, patience);
    return ec;
  });
}

// On one core the fiber that accepts cannot have run when the next listener comes.
TEST(tcp_listener, leaves_its_address_the_moment_it_closes) {
  on_every_reactor([] {
    tcp_listener listener(any_port());
    auto accepting = accepting_error(listener);
    let_others_run();
    listener.close();
    std::error_code ec;
    const tcp_listener next = tcp_listener::listen(listener.local_endpoint(), ec);
    EXPECT_FALSE(ec) << ec.message();
    EXPECT_EQ(accepting.join(), std::errc::bad_file_descriptor);
  });
}

TEST(tcp_listener, leaves_the_socket_to_others_who_share_it) {
  on_every_width([] {
    tcp_listener listener(any_port());
    const int shared = ::dup(listener.native_handle());
    auto accepting = accepting_error(listener);
    let_others_run();
    listener.close();
    EXPECT_EQ(accepting.join(), std::errc::bad_file_descriptor);
    const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    const int taken = ::accept(shared, nullptr, nullptr);
    EXPECT_GE(taken, 0);
    ::close(taken);
    ::close(shared);
  });
}

TEST(listen_on_every_core, shares_one_port_that_was_chosen_once) {
  on_every_width([] {
    std::vector<tcp_listener> listeners = weft::net::listen_on_every_core(any_port(), 4);
    ASSERT_EQ(listeners.size(), 4u);
    weft::detail::atomic<int> served{0};
    std::vector<weft::fiber<void>> accepting;
    for (tcp_listener& listener : listeners) {
      EXPECT_EQ(listener.local_endpoint(), listeners.front().local_endpoint());
      accepting.push_back(weft::spawn([&] {
        std::error_code ec;
        while (listener.accept(ec, patience).is_open()) served.fetch_add(1, weft::detail::relaxed);
      }));
    }
    for (int i = 0; i < 64; ++i) {
      tcp_stream client = tcp_stream::connect(listeners.front().local_endpoint(), patience);
      EXPECT_EQ(read_text(client), "");
    }
    for (tcp_listener& listener : listeners) listener.close();
    for (auto& fiber : accepting) fiber.join();
    EXPECT_EQ(served.load(weft::detail::relaxed), 64);
  });
}

TEST(listen_on_every_core, gives_all_or_none) {
  on_every_width([] {
    const std::ptrdiff_t before = open_descriptors();
    tcp_listener alone(any_port());
    const auto failure = failure_of([&] { weft::net::listen_on_every_core(alone.local_endpoint(), 3); });
    EXPECT_EQ(failure.what(), "listen_on_every_core on " + alone.local_endpoint().to_string() +
                                  " (3 listeners): Address already in use");
    EXPECT_EQ(failure_of([] { weft::net::listen_on_every_core(any_port(), 0); }).code(), std::errc::invalid_argument);
    EXPECT_EQ(open_descriptors(), before + 1);
  });
}

}  // namespace
}  // namespace weft_test
