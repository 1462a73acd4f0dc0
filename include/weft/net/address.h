// IP addresses and endpoints (an address and a port), as plain values.
//
// Nothing here resolves names or touches the network. Thread safety: that of an int.
#pragma once

#include <weft/detail/config.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v0::net {

enum class address_family : std::uint8_t { v4, v6 };

// An IPv4 or IPv6 address. An IPv6 address carries a scope id (the interface of a link-local address), 0 for
// none. Order: every IPv4 address before every IPv6 address, then by value, then by scope id.
class WEFT_API ip_address {
 public:
  using v4_bytes = std::array<std::uint8_t, 4>;
  using v6_bytes = std::array<std::uint8_t, 16>;

  // 0.0.0.0
  constexpr ip_address() noexcept = default;

  // From bytes in the order in which they are written: v4_bytes{127, 0, 0, 1}.
  constexpr explicit ip_address(const v4_bytes& bytes) noexcept : bytes_{bytes[0], bytes[1], bytes[2], bytes[3]} {}
  constexpr explicit ip_address(const v6_bytes& bytes, std::uint32_t scope_id = 0) noexcept
      : family_(address_family::v6), bytes_(bytes), scope_id_(scope_id) {}

  // "192.0.2.1", "2001:db8::1", "fe80::1%2" (the scope id as a decimal number). Names are not resolved, and the short
  // and octal forms of IPv4 ("127.1", "010.0.0.1") are refused.
  // Throws: std::invalid_argument naming the text and what is expected.
  explicit ip_address(std::string_view text);

  // The same without exceptions: nothing if the text is not an address.
  static std::optional<ip_address> parse(std::string_view text) noexcept;

  // 127.0.0.1 or ::1
  static constexpr ip_address loopback(address_family family = address_family::v4) noexcept {
    if (family == address_family::v4) return ip_address(v4_bytes{127, 0, 0, 1});
    return ip_address(v6_bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  }

  // 0.0.0.0 or ::, which listens on every address of the machine.
  static constexpr ip_address any(address_family family = address_family::v4) noexcept {
    return family == address_family::v4 ? ip_address() : ip_address(v6_bytes{});
  }

  constexpr address_family family() const noexcept { return family_; }
  constexpr bool is_v4() const noexcept { return family_ == address_family::v4; }
  constexpr bool is_v6() const noexcept { return family_ == address_family::v6; }
  constexpr std::uint32_t scope_id() const noexcept { return scope_id_; }
  bool is_loopback() const noexcept;  // 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104
  bool is_any() const noexcept;

  // The IPv4 address inside ::ffff:a.b.c.d, as a listener for both families reports its IPv4 peers; any other address
  // unchanged.
  ip_address unmapped() const noexcept;

  // An IPv4 address fills the first four bytes; the rest are zero.
  constexpr const v6_bytes& bytes() const noexcept { return bytes_; }

  // The form that parse() takes, shortened as RFC 5952 says: "::1".
  std::string to_string() const;

  friend bool operator==(const ip_address&, const ip_address&) noexcept = default;
  std::strong_ordering operator<=>(const ip_address& other) const noexcept;

 private:
  address_family family_ = address_family::v4;
  v6_bytes bytes_{};
  std::uint32_t scope_id_ = 0;
};

// An address and a port. Order: by address, then by port.
class WEFT_API endpoint {
 public:
  // 0.0.0.0:0
  constexpr endpoint() noexcept = default;
  constexpr endpoint(const ip_address& address, std::uint16_t port) noexcept : address_(address), port_(port) {}

  // "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80", and ":80", which is 0.0.0.0:80. The port is decimal, 0 to 65535.
  // Throws: std::invalid_argument naming the text and what is expected.
  explicit endpoint(std::string_view text);

  // The same without exceptions: nothing if the text is not an endpoint.
  static std::optional<endpoint> parse(std::string_view text) noexcept;

  constexpr const ip_address& address() const noexcept { return address_; }
  constexpr std::uint16_t port() const noexcept { return port_; }

  // The form that parse() takes.
  std::string to_string() const;

  friend bool operator==(const endpoint&, const endpoint&) noexcept = default;
  friend std::strong_ordering operator<=>(const endpoint&, const endpoint&) noexcept = default;

 private:
  ip_address address_;
  std::uint16_t port_ = 0;
};

WEFT_API std::ostream& operator<<(std::ostream& out, const ip_address& address);
WEFT_API std::ostream& operator<<(std::ostream& out, const endpoint& where);

}  // namespace weft::inline v0::net

template <>
struct std::hash<weft::net::ip_address> {
  WEFT_API std::size_t operator()(const weft::net::ip_address& address) const noexcept;
};

template <>
struct std::hash<weft::net::endpoint> {
  WEFT_API std::size_t operator()(const weft::net::endpoint& where) const noexcept;
};
