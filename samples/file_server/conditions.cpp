#include "conditions.h"

#include "http_date.h"

#include <optional>
#include <string_view>

namespace file_server {

namespace {

std::string_view to_std(beast::string_view text) { return {text.data(), text.size()}; }

enum class comparison { weak, strong };

// Whether the list of entity tags in `header` holds `etag`, or is "*".
bool lists(std::string_view header, std::string_view etag, comparison how) {
  if (header == "*") return true;
  for (;;) {
    const std::size_t quote = header.find('"');
    if (quote == header.npos) return false;
    const std::size_t end = header.find('"', quote + 1);
    if (end == header.npos) return false;
    const bool is_weak = quote >= 2 && header.substr(quote - 2, 2) == "W/";
    if (header.substr(quote, end - quote + 1) == etag && !(is_weak && how == comparison::strong)) return true;
    header.remove_prefix(end + 1);
  }
}

// The field's value, however many lines it came in; nothing without the field.
std::optional<std::string> list_of(const request_fields& fields, http::field name) {
  const auto [begin, end] = fields.equal_range(name);
  if (begin == end) return std::nullopt;
  std::string joined;
  for (auto line = begin; line != end; ++line) {
    if (!joined.empty()) joined += ", ";
    joined += to_std(line->value());
  }
  return joined;
}

std::optional<std::time_t> date_of(const request_fields& fields, http::field name) {
  const auto line = fields.find(name);
  return line == fields.end() ? std::nullopt : parse_http_date(to_std(line->value()));
}

// A date vouches for content only when there was time for no second change within its second.
bool is_settled(std::time_t modified) { return modified < std::time(nullptr) - 1; }

}  // namespace

validators::validators(const struct stat& about) : modified(about.st_mtime) {
#ifdef __APPLE__
  const timespec& when = about.st_mtimespec;
#else
  const timespec& when = about.st_mtim;
#endif
  constexpr std::string_view digits = "0123456789abcdef";
  const auto append = [&](std::uint64_t value) {
    char reversed[16];
    std::size_t count = 0;
    for (; count == 0 || value != 0; value >>= 4) reversed[count++] = digits[value & 15];
    while (count > 0) etag += reversed[--count];
  };
  etag = '"';
  append(static_cast<std::uint64_t>(when.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(when.tv_nsec));
  etag += '-';
  append(static_cast<std::uint64_t>(about.st_size));
  etag += '"';
}

condition_verdict weigh_conditions(const request_fields& fields, const validators& current) {
  if (const auto tags = list_of(fields, http::field::if_match)) {
    if (!lists(*tags, current.etag, comparison::strong)) return condition_verdict::failed;
  } else if (const auto date = date_of(fields, http::field::if_unmodified_since)) {
    if (current.modified > *date) return condition_verdict::failed;
  }
  if (const auto tags = list_of(fields, http::field::if_none_match)) {
    if (lists(*tags, current.etag, comparison::weak)) return condition_verdict::not_modified;
  } else if (const auto date = date_of(fields, http::field::if_modified_since)) {
    if (current.modified <= *date) return condition_verdict::not_modified;
  }
  return condition_verdict::proceed;
}

bool range_counts(const request_fields& fields, const validators& current) {
  const auto line = fields.find(http::field::if_range);
  if (line == fields.end()) return true;
  const std::string_view wanted = to_std(line->value());
  if (wanted.find('"') != wanted.npos) return wanted == current.etag;
  return parse_http_date(wanted) == current.modified && is_settled(current.modified);
}

}  // namespace file_server
