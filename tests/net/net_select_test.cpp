// Streams and listeners as cases of a select.
#include "net/loopback.h"
#include "support/waiting.h"

#include <weft/channel.h>
#include <weft/select.h>

#include <optional>

namespace weft_test {
namespace {

using weft::on_acceptable;
using weft::on_readable;
using weft::on_receive;
using weft::on_timeout;
using weft::on_writable;
using weft::otherwise;
using weft::select;

constexpr auto ignore = [](auto&&...) {};

TEST(select_cases, a_stream_is_readable_once_bytes_have_come) {
  on_every_reactor([] {
    auto [client, server] = connect_pair();
    weft::channel<int> idle;
    EXPECT_EQ(select(on_readable(server), otherwise()), 1u);
    auto sender = weft::spawn([&client = client] { client.write("hello"); });
    EXPECT_EQ(select(on_receive(idle, ignore), on_readable(server), on_timeout(patience)), 1u);
    EXPECT_EQ(read_text(server, 2), "he");
    EXPECT_EQ(select(on_readable(server), otherwise()), 0u) << "the rest is there";
    EXPECT_EQ(read_text(server), "llo");
    EXPECT_EQ(select(on_readable(server), otherwise()), 1u);
    sender.join();
  });
}

TEST(select_cases, a_stream_is_readable_at_its_end_and_writable_where_there_is_room) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    EXPECT_EQ(select(on_readable(client), on_writable(client)), 1u);
    auto closer = weft::spawn([&server = server] { server.close(); });
    EXPECT_EQ(select(on_readable(client), on_timeout(patience)), 0u);
    EXPECT_EQ(read_text(client), "");
    closer.join();
  });
}

TEST(select_cases, a_listener_is_acceptable_once_a_connection_waits) {
  on_every_reactor([] {
    tcp_listener listener(any_port());
    EXPECT_EQ(select(on_acceptable(listener), on_timeout(1ms)), 1u);
    auto caller = weft::spawn([&] { return tcp_stream::connect(listener.local_endpoint(), patience); });
    EXPECT_EQ(select(on_acceptable(listener), on_timeout(patience)), 0u);
    EXPECT_EQ(select(on_acceptable(listener), otherwise()), 0u) << "nobody has taken it";
    EXPECT_TRUE(listener.accept(patience).is_open());
    EXPECT_EQ(select(on_acceptable(listener), otherwise()), 1u);
    caller.join();
  });
}

TEST(select_cases, close_ends_a_select_that_waits) {
  on_every_reactor([] {
    auto [client, server] = connect_pair();
    tcp_listener listener(any_port());
    std::atomic<bool> has_first{false};
    auto selects = weft::spawn([&, &server = server] {
      const std::size_t first = select(on_readable(server), on_acceptable(listener), on_timeout(patience));
      has_first = true;
      std::error_code ec;
      std::byte buffer[8];
      server.read(buffer, ec, patience);
      EXPECT_EQ(ec, std::errc::bad_file_descriptor);
      const std::size_t second = select(on_acceptable(listener), on_timeout(patience));
      return first * 10 + second;
    });
    let_others_run();
    server.close();
    ASSERT_TRUE(yield_until([&] { return has_first.load(); }));
    let_others_run();
    listener.close();
    EXPECT_EQ(selects.join(), 0u);
    EXPECT_EQ(read_text(client), "") << "no select holds the socket back";
  });
}

TEST(select_cases, a_losing_case_leaves_its_stream_to_readers) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    weft::channel<int> numbers;
    for (int i = 0; i < 100; ++i) {
      auto other = weft::spawn([&, &client = client] {
        numbers.send(i);
        client.write("x");
      });
      std::optional<int> number;
      while (!number) weft::select_in_order(on_receive(numbers, number), on_readable(server));
      EXPECT_EQ(read_text(server, 1), "x");
      other.join();
    }
  });
}

TEST(select_cases, one_waits_in_each_direction) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    const weft::pin_guard stay;
    auto selects = begin_here([&server = server] { return select(on_readable(server), on_timeout(patience)); });
    std::byte buffer[8];
    std::error_code ec;
    server.read(buffer, ec, patience);
    EXPECT_EQ(ec, std::errc::device_or_resource_busy);
    client.write("x");
    EXPECT_EQ(selects.join(), 0u);
    EXPECT_EQ(read_text(server), "x");
  });
}

TEST(select_cases, relays_between_two_streams) {
  on_every_width([] {
    auto [left, left_end] = connect_pair();
    auto [right, right_end] = connect_pair();
    const std::string text = numbered_text(200'000);
    auto relay = weft::spawn([&left_end = left_end, &right_end = right_end] {
      std::string piece(4096, '\0');
      bool is_open = true;
      const auto pass = [&](tcp_stream& from, tcp_stream& to) {
        const std::size_t n = from.read(std::as_writable_bytes(std::span(piece)), patience);
        if (n == 0) is_open = false;
        to.write(std::string_view(piece).substr(0, n), patience);
      };
      while (is_open) {
        select(on_readable(left_end, [&] { pass(left_end, right_end); }),
               on_readable(right_end, [&] { pass(right_end, left_end); }));
      }
    });
    auto writer = weft::spawn([&, &left = left] { left.write(text, patience); });
    std::string got;
    while (got.size() < text.size()) got += read_text(right, 65536);
    EXPECT_EQ(got, text);
    right.write("done", patience);
    EXPECT_EQ(read_text(left), "done");
    writer.join();
    left.close();
    relay.join();
  });
}

TEST(select_cases, of_a_stream_that_was_never_open_is_an_error) {
  on_every_width([] {
    tcp_stream none;
    tcp_listener nowhere;
    EXPECT_EQ(failure_of([&] { static_cast<void>(on_readable(none)); }).code(), std::errc::bad_file_descriptor);
    EXPECT_EQ(failure_of([&] { static_cast<void>(on_acceptable(nowhere)); }).code(), std::errc::bad_file_descriptor);
  });
}

}  // namespace
}  // namespace weft_test
