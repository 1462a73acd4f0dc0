// Text in a buffer of fixed size, built without allocating or locking: for signal handlers. What does not fit is cut
// off.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::inline v0::detail {

class fixed_text {
 public:
  static constexpr std::size_t capacity = 2048;

  std::string_view view() const noexcept { return {bytes_.data(), size_}; }

  fixed_text& operator<<(std::string_view text) noexcept {
    const std::size_t count = std::min(text.size(), capacity - size_);
    std::copy_n(text.data(), count, bytes_.data() + size_);
    size_ += count;
    return *this;
  }

  fixed_text& operator<<(const char* text) noexcept { return *this << std::string_view(text); }

  fixed_text& operator<<(std::uint64_t number) noexcept { return append(number, 10); }

  fixed_text& operator<<(const void* address) noexcept {
    return (*this << "0x").append(reinterpret_cast<std::uintptr_t>(address), 16);
  }

  void clear() noexcept { size_ = 0; }

 private:
  fixed_text& append(std::uint64_t number, unsigned base) noexcept {
    char digits[20];
    std::size_t first = sizeof digits;
    do {
      digits[--first] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return *this << std::string_view(digits + first, sizeof digits - first);
  }

  std::array<char, capacity> bytes_;
  std::size_t size_ = 0;
};

}  // namespace weft::inline v0::detail
