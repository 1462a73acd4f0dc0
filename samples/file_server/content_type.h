#pragma once

#include <string_view>

namespace file_server {

// The media type that the extension of `path` stands for; application/octet-stream for all others.
std::string_view content_type_of(std::string_view path);

}  // namespace file_server
