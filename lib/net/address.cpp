#include <weft/net/address.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ostream>
#include <stdexcept>

namespace weft::inline v0::net {

namespace {

// The text as it stands in an error message: short, and without what would disturb a terminal.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown = 80;
  std::string out = "\"";
  for (const char c : text.substr(0, shown)) out += c >= ' ' && c <= '~' ? c : '?';
  out += text.size() > shown ? "...\"" : "\"";
  return out;
}

// Decimal digits only: no sign, no space, nothing left over.
template <class Number>
std::optional<Number> parse_decimal(std::string_view text) noexcept {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// inet_pton wants a terminator; no valid address is longer than the buffer, nor has a zero inside.
template <class Bytes>
std::optional<Bytes> parse_bytes(int family, std::string_view text) noexcept {
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated || text.find('\0') != text.npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated);
  terminated[text.size()] = '\0';
  Bytes bytes{};
  if (inet_pton(family, terminated, bytes.data()) != 1) return std::nullopt;
  return bytes;
}

// What stands left and right of the last colon of an endpoint; nothing if there is none.
struct endpoint_text {
  std::string_view host;
  std::string_view port;
};

std::optional<endpoint_text> split(std::string_view text) noexcept {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  return endpoint_text{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<ip_address> parse_host(std::string_view host) noexcept {
  if (host.empty()) return ip_address::any();
  if (host.front() != '[') {
    const auto address = ip_address::parse(host);
    return address && address->is_v4() ? address : std::nullopt;
  }
  if (host.size() < 2 || host.back() != ']') return std::nullopt;
  const auto address = ip_address::parse(host.substr(1, host.size() - 2));
  return address && address->is_v6() ? address : std::nullopt;
}

std::string why_no_endpoint(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return "there is no port";
  if (parts->host.find(':') != parts->host.npos && !parts->host.starts_with('[') && ip_address::parse(text)) {
    return "an IPv6 address stands in brackets before its port";
  }
  if (!parse_host(parts->host)) return quoted(parts->host) + " is not an IP address (names are not resolved)";
  return quoted(parts->port) + " is not a port from 0 to 65535";
}

// FNV-1a: addresses come from outside, but a table keyed by them is the user's to harden.
std::size_t mix(std::size_t hash, const void* data, std::size_t size) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3U;
  return hash;
}

}  // namespace

ip_address::ip_address(std::string_view text) {
  const auto address = parse(text);
  if (!address) {
    throw std::invalid_argument("net::ip_address: cannot parse " + quoted(text) +
                                ": expected an IPv4 address such as 192.0.2.1 or an IPv6 address such as "
                                "2001:db8::1 or fe80::1%2 (names are not resolved)");
  }
  *this = *address;
}

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
  if (const auto bytes = parse_bytes<v4_bytes>(AF_INET, text)) return ip_address(*bytes);
  const std::size_t percent = text.find('%');
  std::uint32_t scope_id = 0;
  if (percent != text.npos) {
    const auto number = parse_decimal<std::uint32_t>(text.substr(percent + 1));
    if (!number) return std::nullopt;
    scope_id = *number;
  }
  const auto bytes = parse_bytes<v6_bytes>(AF_INET6, text.substr(0, percent));
  if (!bytes) return std::nullopt;
  return ip_address(*bytes, scope_id);
}

bool ip_address::is_loopback() const noexcept {
  const ip_address plain = unmapped();
  if (plain.is_v4()) return plain.bytes_[0] == 127;
  return bytes_ == loopback(address_family::v6).bytes_;
}

bool ip_address::is_any() const noexcept { return bytes_ == v6_bytes{}; }

ip_address ip_address::unmapped() const noexcept {
  constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (is_v4() || !std::equal(prefix.begin(), prefix.end(), bytes_.begin())) return *this;
  return ip_address(v4_bytes{bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

std::string ip_address::to_string() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  std::string out = text;
  if (scope_id_ != 0) out += "%" + std::to_string(scope_id_);
  return out;
}

std::strong_ordering ip_address::operator<=>(const ip_address& other) const noexcept {
  if (const auto by_family = family_ <=> other.family_; by_family != 0) return by_family;
  const int by_bytes = std::memcmp(bytes_.data(), other.bytes_.data(), bytes_.size());
  return by_bytes != 0 ? by_bytes <=> 0 : scope_id_ <=> other.scope_id_;
}

endpoint::endpoint(std::string_view text) {
  const auto where = parse(text);
  if (!where) {
    throw std::invalid_argument("net::endpoint: cannot parse " + quoted(text) + ": " + why_no_endpoint(text) +
                                "; expected address:port such as 127.0.0.1:80, [::1]:80 or :80");
  }
  *this = *where;
}

std::optional<endpoint> endpoint::parse(std::string_view text) noexcept {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  const auto address = parse_host(parts->host);
  const auto port = parse_decimal<std::uint16_t>(parts->port);
  if (!address || !port) return std::nullopt;
  return endpoint(*address, *port);
}

std::string endpoint::to_string() const {
  const std::string host = address_.to_string();
  return (address_.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port_);
}

std::ostream& operator<<(std::ostream& out, const ip_address& address) { return out << address.to_string(); }
std::ostream& operator<<(std::ostream& out, const endpoint& where) { return out << where.to_string(); }

}  // namespace weft::inline v0::net

std::size_t std::hash<weft::net::ip_address>::operator()(const weft::net::ip_address& address) const noexcept {
  const std::uint32_t rest[2] = {address.scope_id(), static_cast<std::uint32_t>(address.family())};
  const std::size_t seed = weft::net::mix(0xcbf29ce484222325U, address.bytes().data(), address.bytes().size());
  return weft::net::mix(seed, rest, sizeof rest);
}

std::size_t std::hash<weft::net::endpoint>::operator()(const weft::net::endpoint& where) const noexcept {
  const std::uint16_t port = where.port();
  return weft::net::mix(std::hash<weft::net::ip_address>{}(where.address()), &port, sizeof port);
}
