#include "url.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace http_load {

namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument("\"" + std::string(text) + "\": " + why);
}

}  // namespace

url parse_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) refuse(text, "a URL begins with http:// (https is not spoken here)");
  const auto is_plain = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::ranges::all_of(text, is_plain)) refuse(text, "a URL has no spaces, and no characters beyond ASCII");
  std::string_view rest = text.substr(scheme.size());
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  url result;
  result.authority = rest.substr(0, end);
  if (end < rest.size()) result.target = (rest[end] == '?' ? "/" : "") + std::string(rest.substr(end));

  std::string_view host = result.authority;
  const std::size_t colon = host.rfind(':');
  if (colon != host.npos && host.find(']', colon) == host.npos) {
    result.port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_port = !result.port.empty() && result.port.size() <= 5 && std::ranges::all_of(result.port, is_digit);
  if (!is_port || std::stoi(result.port) > 65535) refuse(text, "the port is no number from 0 to 65535");
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find('@') != host.npos) refuse(text, "there is no host");
  result.host = host;
  return result;
}

weft::net::endpoint resolve(const url& of) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(of.host.c_str(), of.port.c_str(), &wanted, &list);
  if (error != 0) throw std::runtime_error("host \"" + of.host + "\": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> first(list, &::freeaddrinfo);
  const auto port = static_cast<std::uint16_t>(std::stoi(of.port));
  if (first->ai_family == AF_INET6) {
    sockaddr_in6 found{};
    std::memcpy(&found, first->ai_addr, sizeof found);
    weft::net::ip_address::v6_bytes bytes{};
    std::memcpy(bytes.data(), &found.sin6_addr, bytes.size());
    return {weft::net::ip_address(bytes, found.sin6_scope_id), port};
  }
  sockaddr_in found{};
  std::memcpy(&found, first->ai_addr, sizeof found);
  weft::net::ip_address::v4_bytes bytes{};
  std::memcpy(bytes.data(), &found.sin_addr, bytes.size());
  return {weft::net::ip_address(bytes), port};
}

}  // namespace http_load
