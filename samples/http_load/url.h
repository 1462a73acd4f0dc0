#pragma once

#include <weft/net/address.h>

#include <string>
#include <string_view>

namespace http_load {

struct url {
  std::string host;       // A name or an address, without the brackets of IPv6.
  std::string authority;  // As it stands in the URL: the value of the Host field.
  std::string port = "80";
  std::string target = "/";
};

// Takes http://host[:port][/path][?query]. Throws: std::invalid_argument that names the text and what is wrong.
url parse_url(std::string_view text);

// Asks the system for the address of the host, which may take seconds: not in a fiber.
// Throws: std::runtime_error that names the host.
weft::net::endpoint resolve(const url& of);

}  // namespace http_load
