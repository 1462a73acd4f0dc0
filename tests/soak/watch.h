// What the process holds, and whether it stays flat.
#pragma once

#include <cstddef>

namespace weft_soak {

struct holdings {
  std::size_t resident_kib = 0;
  std::size_t descriptors = 0;
  std::size_t threads = 0;

  static holdings now();
};

// Looks between two rounds, when nothing of weft is under way.
//
// Descriptors and threads must be as many as after the first round. Memory may grow while caches fill, in the first
// tenth of the run; the least value of each later tenth must not lie above that of the second by more than a quarter and
// 8 MiB.
class flatness {
 public:
  // `seconds`: how long the run goes on in all.
  explicit flatness(double seconds) : length_(seconds) {}

  // Fails the program by name if something grows.
  void look(double at, const holdings& held);

  // Once, after the last look: that tenth, too, is measured.
  void finish();

  std::size_t first_kib() const noexcept { return first_kib_; }
  std::size_t last_kib() const noexcept { return last_kib_; }

 private:
  void look_at_memory(double at, std::size_t kib);
  void compare();

  static constexpr std::size_t parts = 10;

  double length_;
  bool is_first_ = true;
  holdings first_;
  std::size_t part_ = 0;
  std::size_t lowest_ = 0;  // Of the part under way.
  std::size_t first_kib_ = 0, last_kib_ = 0;
};

}  // namespace weft_soak
