#include <weft/net/address.h>

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>
#include <unordered_set>

namespace weft::net {
namespace {

TEST(ip_address, reads_what_it_writes) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "2001:db8::1",
                           "fe80::1%2", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "fe80::1%4294967295"}) {
    EXPECT_EQ(ip_address(text).to_string(), text);
  }
}

TEST(ip_address, writes_the_shortest_form) {
  EXPECT_EQ(ip_address("2001:0DB8:0000:0000:0000:0000:0000:0001").to_string(), "2001:db8::1");
  EXPECT_EQ(ip_address("fe80::1%0").to_string(), "fe80::1");
}

TEST(ip_address, refuses_what_is_no_address) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "127"sv,
                                      "127.1"sv,
                                      "127.0.0.256"sv,
                                      "127.0.0.1 "sv,
                                      " 127.0.0.1"sv,
                                      "0x7f.0.0.1"sv,
                                      "127.0.0.1.1"sv,
                                      "1.2.3"sv,
                                      "localhost"sv,
                                      ":"sv,
                                      ":::"sv,
                                      "1:2:3:4:5:6:7"sv,
                                      "1:2:3:4:5:6:7:8:9"sv,
                                      "12345::"sv,
                                      "[::1]"sv,
                                      "fe80::1%"sv,
                                      "fe80::1%eth0"sv,
                                      "fe80::1%-1"sv,
                                      "fe80::1%4294967296"sv,
                                      "127.0.0.1%1"sv,
                                      "127.0.0.1\0"sv,
                                      "127.0.0.1\0.5"sv,
                                      "::1\0"sv,
                                      "::g"sv,
                                      "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd"sv}) {
    EXPECT_FALSE(ip_address::parse(text)) << text;
  }
}

TEST(ip_address, names_the_text_and_what_it_expects) {
  try {
    ip_address("127.0.0.256");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "net::ip_address: cannot parse \"127.0.0.256\": expected an IPv4 address such as 192.0.2.1 "
                 "or an IPv6 "
                 "address such as 2001:db8::1 or fe80::1%2 (names are not resolved)");
  }
}

TEST(ip_address, shows_bad_text_short_and_without_control_characters) {
  try {
    ip_address("\x1b[2J" + std::string(100000, 'x'));
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    const std::string what = error.what();
    EXPECT_LT(what.size(), 300u);
    EXPECT_EQ(what.find('\x1b'), what.npos);
  }
}

TEST(ip_address, knows_its_special_values) {
  EXPECT_EQ(ip_address::loopback().to_string(), "127.0.0.1");
  EXPECT_EQ(ip_address::loopback(address_family::v6).to_string(), "::1");
  EXPECT_EQ(ip_address::any().to_string(), "0.0.0.0");
  EXPECT_EQ(ip_address::any(address_family::v6).to_string(), "::");
  EXPECT_TRUE(ip_address("127.9.9.9").is_loopback());
  EXPECT_TRUE(ip_address("::ffff:127.0.0.1").is_loopback());
  EXPECT_FALSE(ip_address("128.0.0.1").is_loopback());
  EXPECT_FALSE(ip_address("::2").is_loopback());
  EXPECT_TRUE(ip_address("::").is_any());
  EXPECT_FALSE(ip_address("::1").is_any());
}

TEST(ip_address, finds_the_v4_address_in_a_mapped_one) {
  EXPECT_EQ(ip_address("::ffff:192.0.2.1").unmapped(), ip_address("192.0.2.1"));
  EXPECT_EQ(ip_address("::1").unmapped(), ip_address("::1"));
  EXPECT_EQ(ip_address("10.0.0.1").unmapped(), ip_address("10.0.0.1"));
}

TEST(ip_address, orders_by_family_value_and_scope) {
  const std::set<ip_address> sorted{ip_address("fe80::1%2"), ip_address("::1"),      ip_address("10.0.0.2"),
                                    ip_address("fe80::1"),   ip_address("10.0.0.1"), ip_address("::")};
  std::ostringstream out;
  for (const ip_address& address : sorted) out << address << ' ';
  EXPECT_EQ(out.str(), "10.0.0.1 10.0.0.2 :: ::1 fe80::1 fe80::1%2 ");
}

TEST(endpoint, reads_what_it_writes) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0",
                           "[fe80::1%3]:8080", "[::ffff:1.2.3.4]:1"}) {
    EXPECT_EQ(endpoint(text).to_string(), text);
  }
}

TEST(endpoint, goes_into_streams_as_it_is_written) {
  std::ostringstream out;
  out << ip_address("::1") << ' ' << endpoint("[::1]:80");
  EXPECT_EQ(out.str(), "::1 [::1]:80");
}

TEST(endpoint, takes_a_port_alone_for_every_v4_address) {
  const endpoint where(":8080");
  EXPECT_EQ(where.address(), ip_address::any());
  EXPECT_EQ(where.port(), 8080);
}

TEST(endpoint, refuses_what_is_no_endpoint) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      ":"sv,
                                      "80"sv,
                                      "127.0.0.1"sv,
                                      "127.0.0.1:"sv,
                                      "127.0.0.1:65536"sv,
                                      "127.0.0.1:-1"sv,
                                      "127.0.0.1:+1"sv,
                                      "127.0.0.1: 80"sv,
                                      "127.0.0.1:80 "sv,
                                      "127.0.0.1:0x50"sv,
                                      "127.0.0.1:80a"sv,
                                      "localhost:80"sv,
                                      "::1:80"sv,
                                      "[::1]"sv,
                                      "[::1]80"sv,
                                      "[::1:80"sv,
                                      "::1]:80"sv,
                                      "[]:80"sv,
                                      "[127.0.0.1]:80"sv,
                                      "[::1]]:80"sv,
                                      "*:80"sv,
                                      "127.0.0.1:99999999999999999999"sv,
                                      "127.0.0.1\0:80"sv}) {
    EXPECT_FALSE(endpoint::parse(text)) << text;
  }
}

TEST(endpoint, says_what_is_wrong_with_the_text) {
  const auto message = [](const char* text) -> std::string {
    try {
      return endpoint(text).to_string();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  const std::string expected = "; expected address:port such as 127.0.0.1:80, [::1]:80 or :80";
  EXPECT_EQ(message("localhost:80"),
            "net::endpoint: cannot parse \"localhost:80\": \"localhost\" is not an IP address (names are not "
            "resolved)" +
                expected);
  EXPECT_EQ(message("127.0.0.1:http"),
            "net::endpoint: cannot parse \"127.0.0.1:http\": \"http\" is not a port from 0 to 65535" + expected);
  EXPECT_EQ(message("127.0.0.1"), "net::endpoint: cannot parse \"127.0.0.1\": there is no port" + expected);
  EXPECT_EQ(message("::1:80"),
            "net::endpoint: cannot parse \"::1:80\": an IPv6 address stands in brackets before its port" + expected);
}

TEST(endpoint, hashes_equal_values_alike_and_others_apart) {
  std::unordered_set<endpoint> seen;
  for (int port = 0; port <= std::numeric_limits<std::uint16_t>::max(); ++port) {
    seen.emplace(ip_address::loopback(), static_cast<std::uint16_t>(port));
  }
  EXPECT_EQ(seen.size(), 65536u);
  EXPECT_TRUE(seen.contains(endpoint("127.0.0.1:80")));
  EXPECT_FALSE(seen.contains(endpoint("127.0.0.2:80")));
  EXPECT_NE(std::hash<ip_address>{}(ip_address("fe80::1%1")), std::hash<ip_address>{}(ip_address("fe80::1%2")));
}

TEST(endpoint, orders_by_address_then_port) {
  EXPECT_LT(endpoint("10.0.0.1:900"), endpoint("10.0.0.2:80"));
  EXPECT_LT(endpoint("10.0.0.1:80"), endpoint("10.0.0.1:900"));
  EXPECT_EQ(endpoint("10.0.0.1:80"), endpoint(ip_address("10.0.0.1"), 80));
}

}  // namespace
}  // namespace weft::net
