// Dates as HTTP writes and reads them.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace file_server {

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string to_http_date(std::time_t moment);

// Reads that form and the two obsolete ones; nothing if it is none of them.
std::optional<std::time_t> parse_http_date(std::string_view text);

}  // namespace file_server
