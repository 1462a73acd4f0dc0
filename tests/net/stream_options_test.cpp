#include "net/loopback.h"

#include <limits>

namespace weft_test {
namespace {

using weft::net::stream_options;

TEST(stream_options, turn_delay_off_for_both_ends) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    EXPECT_EQ(client.options().no_delay, true);
    EXPECT_EQ(server.options().no_delay, true);
    client.set_options({.no_delay = false});
    EXPECT_EQ(client.options().no_delay, false);
  });
}

TEST(stream_options, come_back_as_they_were_set) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    client.set_options({.keep_alive = true,
                        .keep_alive_idle = 30s,
                        .keep_alive_interval = 5s,
                        .keep_alive_probes = 3,
                        .receive_buffer_bytes = 100000,
                        .send_buffer_bytes = 50000});
    const stream_options found = client.options();
    EXPECT_EQ(found.keep_alive, true);
    EXPECT_EQ(found.keep_alive_idle, 30s);
    EXPECT_EQ(found.keep_alive_interval, 5s);
    EXPECT_EQ(found.keep_alive_probes, 3);
    EXPECT_EQ(found.reset_on_close, false);
    EXPECT_GE(*found.receive_buffer_bytes, 100000u);
    EXPECT_GE(*found.send_buffer_bytes, 50000u);
  });
}

TEST(stream_options, reach_connected_and_accepted_streams) {
  on_every_width([] {
    listen_options listening;
    listening.stream.keep_alive = true;
    listening.stream.no_delay = false;
    tcp_listener listener(any_port(), listening);
    connect_options connecting;
    connecting.stream.keep_alive = true;
    connecting.stream.send_buffer_bytes = 30000;
    const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), connecting);
    const tcp_stream server = listener.accept();
    EXPECT_EQ(client.options().keep_alive, true);
    EXPECT_EQ(client.options().send_buffer_bytes, 60000u);
    EXPECT_EQ(server.options().keep_alive, true);
    EXPECT_EQ(server.options().no_delay, false);
  });
}

TEST(stream_options, reset_a_connection_on_close_if_asked) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    client.set_options({.reset_on_close = true});
    EXPECT_EQ(client.options().reset_on_close, true);
    client.close();
    const auto failure = failure_of([&server = server] { read_text(server); });
    EXPECT_EQ(failure.code(), std::errc::connection_reset);
    EXPECT_EQ(failure.what(),
              "tcp_stream::read from " + server.remote_endpoint().to_string() + ": Connection reset by peer");
  });
}

TEST(stream_options, name_the_value_that_is_out_of_range) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    const auto refused = [&client = client](const stream_options& wanted) -> std::string {
      const auto failure = failure_of([&] { client.set_options(wanted); });
      EXPECT_EQ(failure.code(), std::errc::invalid_argument);
      const std::string what = failure.what();
      return what.substr(what.find('('));
    };
    EXPECT_EQ(refused({.keep_alive_idle = 0s}), "(keep_alive_idle): Invalid argument");
    EXPECT_EQ(refused({.keep_alive_interval = 1h * 1000}), "(keep_alive_interval): Invalid argument");
    EXPECT_EQ(refused({.keep_alive_probes = 0}), "(keep_alive_probes): Invalid argument");
    EXPECT_EQ(refused({.receive_buffer_bytes = std::numeric_limits<std::size_t>::max()}),
              "(receive_buffer_bytes): Invalid argument");
    EXPECT_EQ(refused({.send_buffer_bytes = std::size_t{1} << 31}), "(send_buffer_bytes): Invalid argument");
  });
}

TEST(stream_options, that_are_refused_leave_no_descriptor) {
  on_every_width([] {
    const std::ptrdiff_t before = open_descriptors();
    listen_options listening;
    listening.stream.keep_alive_probes = -1;
    EXPECT_EQ(failure_of([&] { tcp_listener(any_port(), listening); }).code(), std::errc::invalid_argument);
    connect_options connecting;
    connecting.stream.keep_alive_probes = 1000;
    std::error_code ec;
    tcp_stream::connect(endpoint("127.0.0.1:9"), connecting, ec);
    EXPECT_EQ(ec, std::errc::invalid_argument);
    EXPECT_EQ(open_descriptors(), before);
  });
}

}  // namespace
}  // namespace weft_test
