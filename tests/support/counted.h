// A value that counts how many of it live.
#pragma once

#include <atomic>

namespace weft_test {

struct counted {
  explicit counted(std::atomic<int>& to, int with = 0) : live(&to), value(with) { ++*live; }
  counted(const counted& other) : live(other.live), value(other.value) { ++*live; }
  counted(counted&& other) noexcept : live(other.live), value(other.value) { ++*live; }
  ~counted() { --*live; }
  counted& operator=(const counted&) = delete;

  std::atomic<int>* live;
  int value;
};

}  // namespace weft_test
