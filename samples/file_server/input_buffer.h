// Bytes that have come and are not used up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace file_server {

class input_buffer {
 public:
  std::string_view text() const noexcept { return {bytes_.data() + begin_, end_ - begin_}; }

  // Room for at least one byte more. The buffer doubles only while nobody takes from it.
  std::span<std::byte> room() {
    if (end_ == bytes_.size()) {
      if (begin_ > 0) {
        std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
      } else {
        bytes_.resize(std::max(first_size, 2 * bytes_.size()));
      }
    }
    return std::as_writable_bytes(std::span(bytes_).subspan(end_));
  }

  void filled(std::size_t count) noexcept { end_ += count; }

  void drop(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

 private:
  static constexpr std::size_t first_size = 4096;

  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace file_server
