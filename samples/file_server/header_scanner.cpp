#include "header_scanner.h"

namespace file_server {

namespace {

bool is_text(char c) noexcept { return (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') || c == '\t'; }

}  // namespace

header_scanner::verdict header_scanner::refuse(http::status why) noexcept {
  why_ = why;
  return verdict::refused;
}

header_scanner::verdict header_scanner::scan(std::string_view input) noexcept {
  while (seen_ < input.size()) {
    const char c = input[seen_++];
    const bool follows_return = seen_ - 1 > line_ && input[seen_ - 2] == '\r';
    if (follows_return != (c == '\n')) return refuse(http::status::bad_request);
    if (c == '\n') {
      const verdict result = end_line();
      if (result != verdict::incomplete) return result;
    } else if (is_text(c)) {
      const bool is_folded = seen_ - 1 == line_ && lines_ > 0 && (c == ' ' || c == '\t');
      if (is_folded) return refuse(http::status::bad_request);
    } else if (c != '\r') {
      return refuse(http::status::bad_request);
    }
    if (seen_ - line_ > limits_->line_bytes) {
      return refuse(lines_ == 0 ? http::status::uri_too_long : http::status::request_header_fields_too_large);
    }
    if (seen_ > limits_->header_bytes) return refuse(http::status::request_header_fields_too_large);
  }
  return verdict::incomplete;
}

// The last byte seen ends a line.
header_scanner::verdict header_scanner::end_line() noexcept {
  constexpr std::size_t line_end = 2;
  const bool is_empty = seen_ - line_ == line_end;
  line_ = seen_;
  if (!is_empty) {
    // The request line is no field.
    if (++lines_ > limits_->header_fields + 1) return refuse(http::status::request_header_fields_too_large);
    return verdict::incomplete;
  }
  if (lines_ > 0) return verdict::complete;
  first_ = seen_;
  return verdict::incomplete;
}

}  // namespace file_server
