#include "request_header.h"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace file_server {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Beast refuses a version that is not HTTP's and one that is not ours alike; only the second deserves a 505.
bool names_other_version(std::string_view header) {
  const std::string_view line = header.substr(0, header.find('\r'));
  const std::size_t target = line.find(' ') + 1;
  const std::size_t version = line.find(' ', target) + 1;
  if (target == 0 || version == 0) return false;
  const std::string_view text = line.substr(version);
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
}

// A name or address with an optional port. It may be empty; what would start another part of a URL may not be in it.
bool is_host(beast::string_view host) {
  static constexpr std::string_view marks = "-._~!$&'()*+;=:%[]";
  return std::all_of(host.begin(), host.end(), [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || is_digit(c) || marks.find(c) != marks.npos;
  });
}

http::status check_host(const http_request& request) {
  const auto count = request.count(http::field::host);
  const bool is_well = count == 1 ? is_host(request[http::field::host]) : count == 0 && request.version() < 11;
  return is_well ? http::status::ok : http::status::bad_request;
}

// Two readers who disagree about where a request ends let a second one be smuggled past the first of them. So there
// is one way to say it: one Content-Length of digits, or "chunked" alone. (Beast takes lists of equal lengths, and
// no notice of other codings.)
http::status check_framing(const http_request& request) {
  const auto lengths = request.count(http::field::content_length);
  const auto codings = request.count(http::field::transfer_encoding);
  if (lengths + codings > 1) return http::status::bad_request;
  if (lengths == 1) {
    const auto length = request[http::field::content_length];
    const bool is_well = !length.empty() && std::all_of(length.begin(), length.end(), is_digit);
    return is_well ? http::status::ok : http::status::bad_request;
  }
  if (codings == 0) return http::status::ok;
  if (request.version() < 11) return http::status::bad_request;
  const auto coding = request[http::field::transfer_encoding];
  return beast::iequals(coding, "chunked") ? http::status::ok : http::status::not_implemented;
}

}  // namespace

http::status read_header(std::string_view header, http_parser& parser) {
  // The limits that count are the scanner's and the connection's.
  parser.header_limit(static_cast<std::uint32_t>(header.size()) + 1);
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  beast::error_code ec;
  parser.put(boost::asio::buffer(header.data(), header.size()), ec);
  if (ec == http::error::bad_version && names_other_version(header)) return http::status::http_version_not_supported;
  if (ec || !parser.is_header_done()) return http::status::bad_request;
  const http::status host = check_host(parser.get());
  return host == http::status::ok ? check_framing(parser.get()) : host;
}

}  // namespace file_server
