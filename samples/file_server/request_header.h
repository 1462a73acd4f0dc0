// One request, read by Boost.Beast and then held to what HTTP demands beyond grammar.
#pragma once

#include "http_parser.h"

#include <string_view>

namespace file_server {

// Puts a complete header into `parser`, which is new.
// Returns: `ok`, or the status that says what is wrong with it; then the connection has lost its place and must end.
http::status read_header(std::string_view header, http_parser& parser);

}  // namespace file_server
