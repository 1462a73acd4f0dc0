// A variable without synchronisation of its own: accesses that nothing orders are found.
#pragma once

#include <weft/mc/clocks.h>

#include <source_location>

namespace weft::mc {

class race_detector {
 public:
  void on_read(const std::source_location& at);
  void on_write(const std::source_location& at);

 private:
  int written_by_ = -1;
  std::uint32_t written_ = 0;
  vector_clock read_;
};

template <class T>
class plain {
 public:
  plain() = default;
  explicit plain(T value) : value_(value) {}

  T get(std::source_location at = std::source_location::current()) const {
    detector_.on_read(at);
    return value_;
  }
  void set(T value, std::source_location at = std::source_location::current()) {
    detector_.on_write(at);
    value_ = value;
  }

 private:
  T value_{};
  mutable race_detector detector_;
};

}  // namespace weft::mc
