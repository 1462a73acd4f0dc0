#include "request_path.h"

#include <cstddef>

namespace file_server {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> without_escapes(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    plain += c;
  }
  return plain;
}

// The path of the absolute form, which a server must take as well: "http://host" means "http://host/".
std::string_view without_origin(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (!target.starts_with(scheme)) return target;
  const std::size_t slash = target.find_first_of("/?", scheme.size());
  return slash == target.npos || target[slash] == '?' ? "/" : target.substr(slash);
}

}  // namespace

std::optional<request_path> parse_target(std::string_view target) {
  target = without_origin(target);
  target = target.substr(0, target.find('?'));
  if (!target.starts_with('/') || target.find('#') != target.npos) return std::nullopt;
  const auto plain = without_escapes(target);
  if (!plain) return std::nullopt;
  request_path path;
  for (std::string_view rest = *plain; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(part.size());
    path.is_folder = part.empty() || part == "." || part == "..";
    if (part == "..") {
      if (path.name.empty()) return std::nullopt;
      const std::size_t slash = path.name.rfind('/');
      path.name.erase(slash == path.name.npos ? 0 : slash);
    } else if (!path.is_folder) {
      if (!path.name.empty()) path.name += '/';
      path.name += part;
    }
  }
  return path;
}

std::string to_url(std::string_view name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "-._~/!$'()*+,;=@";  // No '&': the result also stands in HTML.
  std::string url;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_alphanumeric || plain.find(c) != plain.npos) {
      url += c;
    } else {
      url += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return url;
}

}  // namespace file_server
