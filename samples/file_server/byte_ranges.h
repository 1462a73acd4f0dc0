// The Range header.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace file_server {

struct byte_range {
  std::uint64_t first;
  std::uint64_t size;  // At least 1.
};

enum class range_verdict {
  whole,          // No ranges, or none to be taken seriously: send everything.
  partial,        // Send these.
  unsatisfiable,  // Well formed, but nothing of it lies in the file.
};

struct requested_ranges {
  range_verdict verdict = range_verdict::whole;
  std::vector<byte_range> ranges{};  // In the order of the request.
};

// Reads `header` ("bytes=0-99,-5") for a file of `size` bytes.
//
// A server may ignore what would cost it more than the whole file: more than 16 ranges, or ranges that overlap so
// much that their sum exceeds the size.
requested_ranges parse_ranges(std::string_view header, std::uint64_t size);

}  // namespace file_server
