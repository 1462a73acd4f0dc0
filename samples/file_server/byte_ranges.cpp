#include "byte_ranges.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace file_server {

namespace {

constexpr std::size_t most_ranges = 16;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Digits only. A number too large for us lies behind the end of every file, and so does the largest we have.
std::optional<std::uint64_t> parse_position(std::string_view digits) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc{} ? value : ~std::uint64_t{0};
}

// One "first-last", "first-" or "-suffix". Returns whether it is well formed; only what lies in the file is added.
bool add_range(std::string_view text, std::uint64_t size, std::vector<byte_range>& ranges) {
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return false;
  const std::string_view left = trimmed(text.substr(0, dash));
  const std::string_view right = trimmed(text.substr(dash + 1));
  if (left.empty()) {
    const auto suffix = parse_position(right);
    if (!suffix) return false;
    const std::uint64_t count = std::min(*suffix, size);
    if (count > 0) ranges.push_back({size - count, count});
    return true;
  }
  const auto first = parse_position(left);
  const auto last = right.empty() ? ~std::uint64_t{0} : parse_position(right);
  if (!first || !last || *last < *first) return false;
  if (*first < size) ranges.push_back({*first, std::min(*last, size - 1) - *first + 1});
  return true;
}

}  // namespace

requested_ranges parse_ranges(std::string_view header, std::uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  const auto is_same_letter = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  if (header.size() < unit.size() || !std::ranges::equal(header.substr(0, unit.size()), unit, is_same_letter))
    return {};
  requested_ranges result;
  std::size_t count = 0;
  for (std::string_view rest = header.substr(unit.size());;) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = trimmed(rest.substr(0, comma));
    if (!part.empty()) {
      if (++count > most_ranges || !add_range(part, size, result.ranges)) return {};
    }
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (count == 0) return {};
  std::uint64_t sum = 0;
  for (const byte_range& range : result.ranges) sum += range.size;
  if (sum > size) return {};
  result.verdict = result.ranges.empty() ? range_verdict::unsatisfiable : range_verdict::partial;
  return result;
}

}  // namespace file_server
