// Where the header of a request ends, and what has no business in one.
#pragma once

#include "http_parser.h"
#include "settings.h"

#include <cstddef>
#include <string_view>

namespace file_server {

// Looks at each byte of a header once, as it comes in, so that a parser need only see complete headers and a client
// that drips bytes costs nothing. It refuses at once what must not be forgiven, because another server on the way
// might read it differently: lines that do not end in CR LF, control characters, folded lines.
class header_scanner {
 public:
  enum class verdict { incomplete, complete, refused };

  explicit header_scanner(const settings& limits) noexcept : limits_(&limits) {}

  // `input` is all that came since the last reset(); what was seen before is not looked at again.
  verdict scan(std::string_view input) noexcept;

  // After `complete`: where the header begins (behind empty lines that some clients send first) and ends.
  std::size_t first() const noexcept { return first_; }
  std::size_t end() const noexcept { return seen_; }
  bool has_begun() const noexcept { return seen_ > first_; }  // There is more than empty lines.

  http::status why() const noexcept { return why_; }  // After `refused`.

  void reset() noexcept { *this = header_scanner(*limits_); }

 private:
  verdict refuse(http::status why) noexcept;
  verdict end_line() noexcept;

  const settings* limits_;
  std::size_t seen_ = 0;
  std::size_t first_ = 0;
  std::size_t line_ = 0;   // Where the current line begins.
  std::size_t lines_ = 0;  // That have ended.
  http::status why_ = http::status::ok;
};

}  // namespace file_server
