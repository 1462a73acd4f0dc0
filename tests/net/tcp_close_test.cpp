// How calls that wait come to an end: by close(), shutdown(), deadline and cancellation.
#include "net/loopback.h"

#include <weft/detail/atomic.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <thread>

namespace weft_test {
namespace {

// Fills the way from one end to the other, so that the next write waits.
void fill(tcp_stream& stream) {
  const std::string piece(1 << 20, 'f');
  std::error_code ec;
  while (!ec) stream.write_some(bytes(piece), ec, 20ms);
  EXPECT_EQ(ec, std::errc::timed_out);
}

auto reader_of(tcp_stream& stream) {
  return weft::spawn([&stream] {
    std::error_code ec;
    std::byte buffer[8];
    stream.read(buffer, ec, patience);
    return ec;
  });
}

TEST(tcp_close, wakes_a_waiting_reader) {
  on_every_reactor([] {
    auto [client, server] = connect_pair();
    auto reading = reader_of(server);
    let_others_run();
    server.close();
    EXPECT_EQ(reading.join(), std::errc::bad_file_descriptor);
    EXPECT_EQ(read_text(client), "") << "the socket itself is closed by now";
  });
}

TEST(tcp_close, wakes_a_waiting_writer) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    fill(client);
    auto writing = weft::spawn([&client = client] {
      std::error_code ec;
      client.write(std::string(1 << 20, 'x'), ec, patience);
      return ec;
    });
    let_others_run();
    client.close();
    EXPECT_EQ(writing.join(), std::errc::bad_file_descriptor);
  });
}

TEST(tcp_close, wakes_both_directions_at_once) {
  on_every_reactor([] {
    auto [client, server] = connect_pair();
    fill(client);
    auto reading = reader_of(client);
    auto writing = weft::spawn([&client = client] {
      std::error_code ec;
      client.write(std::string(1 << 20, 'x'), ec, patience);
      return ec;
    });
    let_others_run();
    client.close();
    EXPECT_EQ(reading.join(), std::errc::bad_file_descriptor);
    EXPECT_EQ(writing.join(), std::errc::bad_file_descriptor);
  });
}

TEST(tcp_close, may_come_from_a_plain_thread) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    auto reading = reader_of(server);
    let_others_run();
    std::thread closer([&server = server] { server.close(); });
    EXPECT_EQ(reading.join(), std::errc::bad_file_descriptor);
    closer.join();
  });
}

// What the peer sees of a close() while the fiber that reads has not run: it holds the only core.
void expect_peer_meets(bool resets, ssize_t result, int error) {
  weft::options one_core;
  one_core.cores = 1;
  weft::run(one_core, [=] {
    auto [client, server] = connect_pair();
    server.set_options({.reset_on_close = resets});
    auto reading = reader_of(server);
    let_others_run();
    server.close();
    pollfd asked{client.native_handle(), POLLIN, 0};
    EXPECT_EQ(::poll(&asked, 1, 5'000), 1);
    char byte = 0;
    EXPECT_EQ(::recv(client.native_handle(), &byte, 1, MSG_DONTWAIT), result);
    if (result < 0) {
      EXPECT_EQ(errno, error);
    }
    EXPECT_EQ(reading.join(), std::errc::bad_file_descriptor);
  });
}

TEST(tcp_close, tells_the_peer_before_the_waiting_reader_has_run) { expect_peer_meets(false, 0, 0); }
TEST(tcp_close, resets_before_the_waiting_reader_has_run) { expect_peer_meets(true, -1, ECONNRESET); }

TEST(tcp_close, leaves_getters_and_shutdown_alone_with_other_sockets) {
  on_every_width([] {
    for (int round = 0; round < 50; ++round) {
      auto [client, server] = connect_pair();
      weft::detail::atomic<bool> over{false};
      auto asking = weft::spawn([&server = server, &over] {
        std::error_code ec;
        while (!over.load(weft::detail::acquire)) {
          server.shutdown(shutdown_mode::read, ec);
          server.options(ec);
          weft::this_fiber::yield();
        }
        server.shutdown(shutdown_mode::read, ec);
        EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      });
      auto closing = weft::spawn([&server = server] { server.close(); });
      closing.join();
      // These take the number that was just closed. A late shutdown of the old one would end them.
      auto [next_client, next_server] = connect_pair();
      next_client.write("still here");
      EXPECT_EQ(read_text(next_server), "still here");
      over.store(true, weft::detail::release);
      asking.join();
    }
  });
}

TEST(tcp_shutdown, of_reading_wakes_a_waiting_reader_at_the_end) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    auto reading = weft::spawn([&server = server] { return read_text(server); });
    let_others_run();
    server.shutdown(shutdown_mode::read);
    EXPECT_EQ(reading.join(), "");
    server.write("still");
    EXPECT_EQ(read_text(client), "still");
  });
}

TEST(tcp_deadline, ends_a_read_and_leaves_the_stream_usable) {
  on_every_reactor([] {
    auto [client, server] = connect_pair();
    std::byte buffer[4];
    const auto failure = failure_of([&server = server, &buffer] { (void)server.read(buffer, 5ms); });
    EXPECT_EQ(failure.code(), std::errc::timed_out);
    EXPECT_EQ(failure.what(),
              "tcp_stream::read from " + server.remote_endpoint().to_string() + ": Connection timed out");
    client.write("late");
    EXPECT_EQ(read_text(server), "late");
  });
}

TEST(tcp_deadline, does_not_end_before_its_time) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    std::byte buffer[4];
    std::error_code ec;
    const auto limit = std::chrono::steady_clock::now() + 7ms;
    server.read(buffer, ec, limit);
    EXPECT_EQ(ec, std::errc::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now(), limit);
  });
}

TEST(tcp_deadline, holds_for_a_whole_write) {
  const std::string text = numbered_text(24 << 20);
  on_every_width([&text] {
    auto [client, server] = connect_pair();
    std::error_code ec;
    const std::size_t written = client.write(text, ec, 20ms);
    EXPECT_EQ(ec, std::errc::timed_out);
    EXPECT_LT(written, text.size());
    client.close();
    EXPECT_TRUE(read_to_end(server) == text.substr(0, written)) << "what was counted arrives";
  });
}

TEST(tcp_deadline, in_the_past_still_takes_what_is_there) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    client.write("here");
    std::byte buffer[8];
    EXPECT_EQ(server.read(buffer, 0s), 4u);
    std::error_code ec;
    server.read(buffer, ec, -1h);
    EXPECT_EQ(ec, std::errc::timed_out);
  });
}

// More are ready at once than the poller hands out before timers run.
TEST(tcp_deadline, in_the_past_takes_what_is_there_behind_many_others) {
  weft::options wanted;
  wanted.cores = 1;
  wanted.reactor = weft::reactor_mode::inlined;
  weft::run(wanted, [] {
    std::vector<connection> pairs;
    std::error_code ec;
    std::byte buffer[8];
    for (int i = 0; i < 200; ++i) {
      pairs.push_back(connect_pair());
      pairs.back().server.read(buffer, ec, 0ms);
      ASSERT_EQ(ec, std::errc::timed_out);
    }
    let_others_run();
    for (connection& pair : pairs) ASSERT_EQ(::write(pair.client.native_handle(), "here", 4), 4);
    EXPECT_EQ(pairs.back().server.read(buffer, ec, 0ms), 4u);
    EXPECT_FALSE(ec) << ec.message();
    pairs.back().server.read(buffer, ec, 0ms);
    EXPECT_EQ(ec, std::errc::timed_out);
  });
}

TEST(tcp_cancel, ends_a_waiting_read_and_loses_nothing) {
  on_every_reactor([] {
    auto [client, server] = connect_pair();
    auto reading = weft::spawn([&server = server] { return read_text(server); });
    let_others_run();
    reading.cancel();
    EXPECT_THROW(reading.join(), weft::join_cancelled);
    client.write("kept");
    EXPECT_EQ(read_text(server), "kept");
  });
}

TEST(tcp_cancel, is_an_error_code_where_one_is_asked_for) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    weft::detail::atomic<bool> has_started{false};
    auto reading = weft::spawn([&server = server, &has_started] {
      has_started.store(true, weft::detail::release);
      std::error_code ec;
      std::byte buffer[8];
      server.read(buffer, ec);
      EXPECT_EQ(ec, std::errc::operation_canceled);
      server.write("x", ec);
      EXPECT_EQ(ec, std::errc::operation_canceled) << "it stays cancelled";
    });
    while (!has_started.load(weft::detail::acquire)) weft::this_fiber::yield();
    reading.cancel();
    reading.join();
  });
}

// Numbers are reused at once: no event, byte or close of an old connection may reach a new one.
TEST(tcp_close, never_touches_the_next_owner_of_the_number) {
  on_every_reactor([] {
    const auto seed = std::random_device{}();
    std::mt19937 random(seed);
    tcp_listener listener(any_port());
    for (int round = 0; round < 200; ++round) {
      const std::string text = std::to_string(round);
      tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
      tcp_stream server = listener.accept(patience);
      auto reading = weft::spawn([&server] {
        std::error_code ec;
        std::byte buffer[16];
        std::size_t size = server.read(buffer, ec, patience);
        return ec ? std::string() : std::string(reinterpret_cast<const char*>(buffer), size);
      });
      for (unsigned i = random() % 4; i > 0; --i) weft::this_fiber::yield();
      client.write(text);
      for (unsigned i = random() % 4; i > 0; --i) weft::this_fiber::yield();
      server.close();
      const std::string seen = reading.join();
      EXPECT_TRUE(seen.empty() || seen == text) << seen << " for " << text << ", seed " << seed;
    }
  });
}

}  // namespace
}  // namespace weft_test
