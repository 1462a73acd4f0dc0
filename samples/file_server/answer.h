// What the server says to a request.
#pragma once

#include "directory.h"
#include "http_parser.h"
#include "settings.h"

#include <cstdint>
#include <string>
#include <vector>

namespace file_server {

// A piece of a file, and what goes before it.
struct file_slice {
  std::string before;
  std::uint64_t first;
  std::uint64_t size;
};

struct reply {
  http::status status = http::status::ok;
  std::string fields{};  // Lines of the header that not every reply has, each with its line end.
  open_file file{};
  std::vector<file_slice> slices{};
  std::string text{};  // Behind the slices.

  bool has_body() const noexcept { return status != http::status::not_modified; }
  std::uint64_t length() const noexcept;
};

// The reply to `request`: never an exception for what a client asked.
reply answer(const http_request& request, const directory& top, const settings& limits);

// A reply that only names its status, for people to read.
reply plain_reply(http::status status);

}  // namespace file_server
