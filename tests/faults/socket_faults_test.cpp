// Connections under faults: what can go on does, byte for byte; what cannot says so; and nothing is left either way.
#include "faults/faulty_sockets.h"
#include "net/loopback.h"
#include "support/waiting.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace weft_test {
namespace {

using calls = weft::detail::system_calls;

// Writes and reads at once, in lists and in one piece, and compares.
void exchange(tcp_stream& one, tcp_stream& two, const std::string& text) {
  auto writer = weft::spawn([&] {
    const std::string_view all = text;
    const std::span<const std::byte> parts[] = {bytes(all.substr(0, 10)), bytes(all.substr(10, 100)),
                                                bytes(all.substr(110))};
    one.write(parts, patience);
    one.write(all, patience);
    one.shutdown(shutdown_mode::write);
  });
  const std::string got = read_to_end(two);
  writer.join();
  EXPECT_TRUE(got == text + text) << got.size() << " bytes of " << 2 * text.size();
}

TEST(socket_faults, lose_and_double_no_byte) {
  const replaced_system_calls faulty{&mishandle_transfers};
  const std::string text = numbered_text(60'000);
  with_random_faults(3, [&] {
    on_every_reactor([&] {
      connection c = connect_pair({.first_backoff = 1ms, .last_backoff = 1ms});
      auto there = weft::spawn([&] { exchange(c.client, c.server, text); });
      exchange(c.server, c.client, text);
      there.join();
    });
  });
}

TEST(socket_faults, at_each_call_of_an_exchange) {
  const replaced_system_calls faulty{&mishandle_transfers};
  const std::string text = numbered_text(2'000);
  weft::run([&] {
    for_every_fault(100, [&] {
      connection c = connect_pair({.first_backoff = 1ms, .last_backoff = 1ms});
      exchange(c.client, c.server, text);
      exchange(c.server, c.client, text);
    });
  });
}

TEST(socket_faults, cut_files_short_but_send_them_whole) {
  const replaced_system_calls faulty{&mishandle_transfers};
  const std::string text = numbered_text(50'000);
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::tmpfile(), &std::fclose);
  ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file.get()), text.size());
  std::fflush(file.get());
  weft::run([&] {
    with_random_faults(2, [&] {
      connection c = connect_pair({.first_backoff = 1ms, .last_backoff = 1ms});
      auto reader = weft::spawn([&] { return read_to_end(c.server); });
      EXPECT_EQ(c.client.send_file(fileno(file.get()), 0, text.size(), patience), text.size());
      c.client.close();
      EXPECT_TRUE(reader.join() == text);
    });
  });
}

// The disk fails at the n-th piece: what went before has arrived, and the count says how much that is.
TEST(socket_faults, a_file_that_cannot_be_read_on_is_told_with_what_was_sent) {
  const replaced_system_calls faulty{[](calls& table) {
    table.sendfile = [](int to, int from, off_t* offset, std::size_t size) noexcept -> ssize_t {
      if (fault_is_due()) return -EIO;
      return weft::detail::real_system_calls().sendfile(to, from, offset, std::min<std::size_t>(size, 5'000));
    };
  }};
  const std::string text = numbered_text(50'000);
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::tmpfile(), &std::fclose);
  ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file.get()), text.size());
  std::fflush(file.get());
  on_every_width([&] {
    for_every_fault(100, [&] {
      connection c = connect_pair();
      auto reader = weft::spawn([&] { return read_to_end(c.server); });
      std::error_code ec;
      const std::size_t sent = c.client.send_file(fileno(file.get()), 0, text.size(), ec, patience);
      c.client.close();
      EXPECT_TRUE(reader.join() == text.substr(0, sent));
      EXPECT_EQ(ec == std::errc::io_error, sent < text.size()) << ec.message() << " after " << sent;
    });
  });
}

// A reset in the n-th transfer: the caller is told, whoever waits at the other end sees the end, and all is given back.
TEST(socket_faults, a_reset_reaches_the_caller) {
  const replaced_system_calls faulty{[](calls& table) {
    refuse<&calls::recv, ECONNRESET>(table);
    refuse<&calls::send, ECONNRESET>(table);
    refuse<&calls::sendmsg, EPIPE>(table);
    refuse<&calls::recvmsg, ECONNRESET>(table);
  }};
  on_every_width([] {
    const std::string text = numbered_text(1'000);
    int told = 0;
    for_every_fault(100, [&] {
      connection c = connect_pair();
      auto sender = weft::spawn([&] {
        const std::error_code failure = error_of([&] { c.client.write(text, patience); });
        c.client.close();
        return failure;
      });
      std::string got;
      const std::error_code failure = error_of([&] { got = read_to_end(c.server); });
      c.server.close();
      const std::error_code sent = sender.join();
      if (failure || sent) ++told;
      if (!failure && !sent) {
        EXPECT_EQ(got, text);
      }
      for (const std::error_code& each : {failure, sent}) {
        EXPECT_TRUE(!each || each == std::errc::connection_reset || each == std::errc::broken_pipe) << each;
      }
    });
    EXPECT_GT(told, 0);
  });
}

void refuse_setting_up(calls& table) {
  refuse<&calls::socket, EMFILE>(table);
  refuse<&calls::bind, EADDRINUSE>(table);
  refuse<&calls::listen, EADDRINUSE>(table);
  refuse<&calls::connect, ENETUNREACH>(table);
  refuse<&calls::setsockopt, ENOBUFS>(table);
  refuse<&calls::getsockopt, ENOBUFS>(table);
  refuse<&calls::getsockname, ENOBUFS>(table);
  refuse<&calls::getpeername, ENOBUFS>(table);
  refuse<&calls::fcntl, EMFILE>(table);
  table.epoll_ctl = [](int queue, int operation, int fd, epoll_event* event) noexcept {
    if (operation == EPOLL_CTL_ADD && fault_is_due()) return -ENOSPC;
    return weft::detail::real_system_calls().epoll_ctl(queue, operation, fd, event);
  };
}

TEST(socket_faults, in_each_call_that_sets_up_a_connection) {
  const replaced_system_calls faulty{&refuse_setting_up};
  on_every_width([] {
    const std::ptrdiff_t before = open_descriptors();
    int told = 0;
    for_every_fault(100, [&] {
      try {
        tcp_listener listener(any_port());
        auto accepting = weft::spawn([&] { return listener.accept(patience); });
        tcp_stream client;
        const std::error_code refused =
            error_of([&] { client = tcp_stream::connect(listener.local_endpoint(), patience); });
        if (refused) {
          ++told;
          listener.close();
        }
        tcp_stream server;
        const std::error_code not_accepted = error_of([&] { server = accepting.join(); });
        if (not_accepted) ++told;
        if (!refused && !not_accepted) {
          client.write("hello", patience);
          EXPECT_EQ(read_text(server), "hello");
        }
      } catch (const std::system_error&) {
        ++told;
      }
      EXPECT_EQ(open_descriptors(), before);
    });
    EXPECT_GT(told, 3);
  });
}

}  // namespace
}  // namespace weft_test
