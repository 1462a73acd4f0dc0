#include "net/loopback.h"

#include <sys/mman.h>

#include <array>
#include <climits>

namespace weft_test {
namespace {

TEST(tcp_stream, carries_bytes_both_ways_at_once) {
  on_every_reactor([] {
    const std::string text = numbered_text(4 << 20);
    auto [client, server] = connect_pair();
    auto echo = weft::spawn([&server = server] {
      std::vector<std::byte> buffer(30000);
      while (const std::size_t size = server.read(buffer, patience)) {
        server.write(std::span<const std::byte>(buffer).first(size), patience);
      }
      server.shutdown(shutdown_mode::write);
    });
    auto sending = weft::spawn([&client = client, &text] {
      client.write(text, patience);
      client.shutdown(shutdown_mode::write);
    });
    EXPECT_TRUE(read_to_end(client) == text);
    sending.join();
    echo.join();
  });
}

TEST(tcp_stream, serves_many_connections_at_once) {
  on_every_reactor([] {
    tcp_listener listener(any_port());
    std::vector<weft::fiber<void>> fibers;
    for (int i = 0; i < 50; ++i) {
      fibers.push_back(weft::spawn([&listener] {
        tcp_stream server = listener.accept(patience);
        for (std::string text = read_text(server); !text.empty(); text = read_text(server)) server.write(text);
      }));
      fibers.push_back(weft::spawn([where = listener.local_endpoint(), i] {
        tcp_stream client = tcp_stream::connect(where, patience);
        for (int round = 0; round < 20; ++round) {
          const std::string text = std::to_string(i) + "/" + std::to_string(round);
          client.write(text, patience);
          EXPECT_EQ(read_text(client), text);
        }
      }));
    }
    for (auto& fiber : fibers) fiber.join();
  });
}

TEST(tcp_stream, goes_on_in_one_direction_after_the_other_has_ended) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    client.write("question");
    client.shutdown(shutdown_mode::write);
    EXPECT_EQ(read_to_end(server), "question");
    EXPECT_EQ(read_text(server), "") << "the end stays the end";
    server.write("answer");
    EXPECT_EQ(read_text(client), "answer");
    server.close();
    EXPECT_EQ(read_text(client), "");
  });
}

// The event of the end may be taken together with that of the last bytes, before either is read.
TEST(tcp_stream, sees_an_end_that_came_with_the_last_bytes) {
  on_every_reactor([] {
    auto [client, server] = connect_pair();
    std::error_code ec;
    std::byte buffer[64];
    server.read(buffer, ec, 1ms);
    EXPECT_EQ(ec, std::errc::timed_out);
    client.write("last");
    client.close();
    let_others_run();
    EXPECT_EQ(read_text(server), "last");
    EXPECT_EQ(read_text(server), "");
    EXPECT_EQ(read_text(server), "");
  });
}

TEST(tcp_stream, writes_any_number_of_parts_in_order) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    std::vector<std::string> texts;
    std::string expected;
    for (int i = 0; i < 3 * IOV_MAX; ++i) expected += texts.emplace_back(numbered_text(i % 700));
    auto sending = weft::spawn([&client = client, &texts] {
      std::vector<std::span<const std::byte>> parts;
      for (const std::string& text : texts) parts.push_back(bytes(text));
      client.write(parts, patience);
      client.close();
    });
    EXPECT_TRUE(read_to_end(server) == expected);
    sending.join();
  });
}

TEST(tcp_stream, fills_its_buffers_in_order) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    client.write("abcdefgh");
    std::byte first[3], second[2], third[100];
    const std::vector<std::span<std::byte>> buffers{first, {}, second, third};
    std::string seen;
    while (seen.size() < 8) {
      const std::size_t size = server.read(buffers, patience);
      std::string all;
      for (const auto buffer : buffers) all.append(reinterpret_cast<const char*>(buffer.data()), buffer.size());
      seen += all.substr(0, size);
    }
    EXPECT_EQ(seen, "abcdefgh");
  });
}

TEST(tcp_stream, reads_and_writes_nothing_without_waiting) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    const std::vector<std::span<std::byte>> no_room(2);
    const std::vector<std::span<const std::byte>> no_parts(2);
    EXPECT_EQ(client.read(std::span<std::byte>()), 0u);
    EXPECT_EQ(client.read(no_room), 0u);
    EXPECT_EQ(client.read(std::span<const std::span<std::byte>>()), 0u);
    EXPECT_EQ(client.read_exactly({}), 0u);
    client.write(std::string_view());
    client.write(no_parts);
    EXPECT_EQ(client.write_some({}), 0u);
    client.write("x");
    EXPECT_EQ(read_text(server), "x") << "and that was no end";
  });
}

TEST(tcp_stream, takes_more_room_than_there_are_bytes) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    // What one call may name lies within the process; only the first page is ever touched, since the system writes as many
    // bytes as have come.
    constexpr std::size_t one_call = std::size_t{1} << 30;
    void* const room =
        mmap(nullptr, 2 * one_call, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(room, MAP_FAILED);
    const std::span<std::byte> huge(static_cast<std::byte*>(room), std::size_t{1} << 46);
    client.write("few");
    EXPECT_EQ(server.read(huge, patience), 3u);
    client.write("few");
    const std::vector<std::span<std::byte>> buffers{huge.first(1), huge.subspan(1)};
    EXPECT_EQ(server.read(buffers, patience), 3u);
    EXPECT_EQ(munmap(room, 2 * one_call), 0);
  });
}

TEST(tcp_stream, reads_exactly_what_is_asked) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    const std::string text = numbered_text(200000);
    auto sending = weft::spawn([&client = client, &text] {
      for (std::size_t at = 0; at < text.size(); at += 999) client.write(std::string_view(text).substr(at, 999));
      client.close();
    });
    std::string seen(text.size(), '\0');
    EXPECT_EQ(server.read_exactly(std::as_writable_bytes(std::span(seen)), patience), text.size());
    EXPECT_TRUE(seen == text);
    EXPECT_EQ(server.read_exactly(std::as_writable_bytes(std::span(seen)), patience), 0u) << "a clean end";
    sending.join();
  });
}

TEST(tcp_stream, names_an_end_in_the_middle) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    std::byte buffer[8];
    std::error_code ec;
    client.write("abcabc");
    EXPECT_EQ(server.read_exactly(std::span(buffer).first(3)), 3u);
    client.close();
    EXPECT_EQ(server.read_exactly(buffer, ec), 3u);
    EXPECT_EQ(ec, weft::io_errc::end_of_stream);
    EXPECT_EQ(server.read_exactly(buffer, ec), 0u);
    EXPECT_FALSE(ec);
  });
}

TEST(tcp_stream, writes_some_when_all_does_not_fit) {
  const std::string text = numbered_text(24 << 20);
  on_every_width([&text] {
    auto [client, server] = connect_pair();
    const std::size_t written = client.write_some(bytes(text));
    EXPECT_GT(written, 0u);
    EXPECT_LT(written, text.size());
    client.close();
    EXPECT_TRUE(read_to_end(server) == text.substr(0, written));
  });
}

// Writes `head` ahead of `body`. Returns: whether they came together. Linux waits for the rest no longer than 200 ms: after
// that it was right to send the head alone.
bool come_together(const std::string& head, const std::string& body) {
  auto [client, server] = connect_pair();
  const auto begin = std::chrono::steady_clock::now();
  server.write_ahead(bytes(head), patience);
#ifdef __linux__
  std::error_code ec;
  std::array<std::byte, 1> early{};
  client.read(early, ec, 20ms);
  const bool was_alone = !ec;
#else
  const bool was_alone = false;
#endif
  server.write(body, patience);
  const auto took = std::chrono::steady_clock::now() - begin;
  const std::string got = read_text(client);
  if (!was_alone && got == head + body) return true;
  EXPECT_GE(took, 200ms) << "it was sent alone: " << got;
  return false;
}

TEST(tcp_stream, writes_ahead_of_what_follows) {
  on_every_reactor([] {
    const std::string head = "head ";
    EXPECT_TRUE(yield_until([&] { return HasFailure() || come_together(head, "body"); })) << "one packet, so one read";
    auto [client, server] = connect_pair();
    std::error_code of_call;
    server.write_ahead(bytes(head), of_call, patience);
    EXPECT_FALSE(of_call);
    EXPECT_EQ(read_text(client), head) << "nothing follows, but it comes";
  });
}

TEST(tcp_stream, knows_both_ends) {
  on_every_width([] {
    tcp_listener listener(any_port());
    tcp_stream client = tcp_stream::connect(listener.local_endpoint());
    tcp_stream server = listener.accept();
    EXPECT_EQ(client.remote_endpoint(), listener.local_endpoint());
    EXPECT_EQ(server.remote_endpoint(), client.local_endpoint());
    EXPECT_EQ(server.local_endpoint(), listener.local_endpoint());
    const endpoint remote = client.remote_endpoint();
    client.close();
    EXPECT_EQ(client.remote_endpoint(), remote) << "for error messages after close()";
  });
}

TEST(tcp_stream, lets_one_fiber_read_and_names_the_call_to_the_second) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    auto first = weft::spawn([&server = server] {
      std::error_code ec;
      std::byte buffer[8];
      std::size_t size = server.read(buffer, ec, patience);
      while (ec == std::errc::device_or_resource_busy) {  // The probe below is in the middle of its read.
        weft::this_fiber::yield();
        size = server.read(buffer, ec, patience);
      }
      return size;
    });
    std::error_code ec;
    std::byte buffer[8];
    while (ec != std::errc::device_or_resource_busy) {
      server.read(buffer, ec, 0s);
      weft::this_fiber::yield();
    }
    const std::string what = failure_of([&server = server] { read_text(server); }).what();
    EXPECT_EQ(what, "tcp_stream::read from " + server.remote_endpoint().to_string() +
                        " (another fiber is in the middle of this call): Device or resource busy");
    server.write("a write is free");
    client.write("read me");
    EXPECT_EQ(first.join(), 7u);
  });
}

TEST(tcp_stream, fails_by_name_where_nothing_is_open) {
  on_every_width([] {
    tcp_stream never_open;
    auto [client, server] = connect_pair();
    tcp_stream moved_away = std::move(client);
    server.close();
    server.close();
    for (tcp_stream* stream : {&never_open, &client, &server}) {
      std::byte buffer[4];
      std::error_code ec;
      EXPECT_FALSE(stream->is_open());
      EXPECT_EQ(stream->native_handle(), -1);
      stream->read(buffer, ec);
      EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      stream->write("x", ec);
      EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      stream->send_file(0, 0, 1, ec);
      EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      stream->shutdown(shutdown_mode::both, ec);
      EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      stream->local_endpoint(ec);
      EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      stream->set_options({.no_delay = true}, ec);
      EXPECT_EQ(ec, std::errc::bad_file_descriptor);
    }
    EXPECT_TRUE(moved_away.is_open());
    EXPECT_STREQ(failure_of([&] { never_open.write("x"); }).what(),
                 "tcp_stream::write to 0.0.0.0:0: Bad file descriptor");
  });
}

TEST(tcp_stream, moves_parts_with_an_error_code_and_ends_in_both_directions) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    std::error_code ec = std::make_error_code(std::errc::io_error);
    const std::vector<std::span<const std::byte>> parts{bytes("one "), bytes("two")};
    EXPECT_EQ(client.write(parts, ec), 7u);
    EXPECT_FALSE(ec) << ec.message();
    std::array<std::byte, 4> first{};
    std::array<std::byte, 16> second{};
    const std::array<std::span<std::byte>, 2> buffers{first, second};
    std::size_t count = 0;
    while (count < 7 && !ec) count += server.read(std::span(buffers).last(count == 0 ? 2 : 1), ec, patience);
    EXPECT_EQ(count, 7u);
    client.shutdown(shutdown_mode::both);
    EXPECT_EQ(server.read(second, patience), 0u);
    EXPECT_EQ(client.read(second, patience), 0u);
    EXPECT_EQ(client.write(parts, ec), 0u);
    EXPECT_EQ(ec, std::errc::broken_pipe);
  });
}

TEST(tcp_stream, clears_the_error_code_when_all_is_well) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    std::error_code ec = std::make_error_code(std::errc::io_error);
    client.write("x", ec);
    EXPECT_FALSE(ec);
    ec = std::make_error_code(std::errc::io_error);
    std::byte buffer[4];
    EXPECT_EQ(server.read(buffer, ec), 1u);
    EXPECT_FALSE(ec);
  });
}

}  // namespace
}  // namespace weft_test
