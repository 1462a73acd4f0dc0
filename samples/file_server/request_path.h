// From the target of a request to a path beneath the served directory, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace file_server {

struct request_path {
  std::string name;        // Relative, without empty, "." and ".." parts; empty for the directory itself.
  bool is_folder = false;  // The target ended in a slash, or in "." or "..".
};

// Takes "/a/b?query" and "http://host/a/b", undoes percent escapes once, and resolves dots.
// Returns: nothing for what is neither form, for broken escapes, zero bytes, and dots that climb above the top.
std::optional<request_path> parse_target(std::string_view target);

// `name` with percent escapes for whatever does not stand for itself in a URL; slashes stay.
std::string to_url(std::string_view name);

}  // namespace file_server
