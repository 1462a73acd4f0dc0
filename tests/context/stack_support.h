// What the tests of stacks share: a small head, and a pool that gives all of its stacks back.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <new>
#include <string>
#include <vector>

#include "context/stack_arena.h"
#include "context/stack_pool.h"
#include "platform/system_calls.h"
#include "support/replaced_system_calls.h"

namespace weft::detail {

struct alignas(64) test_head : stack_head {
  std::uint64_t first_epoch = 0;
  std::uint64_t epoch = 0;
  char filler[64] = {};
};

inline void make_test_head(void* memory, const stack_head& placed, std::uint64_t first_epoch) noexcept {
  auto* const head = new (memory) test_head;
  static_cast<stack_head&>(*head) = placed;
  head->first_epoch = head->epoch = first_epoch;
}

inline std::uint64_t last_test_epoch(const stack_head& head) noexcept {
  return static_cast<const test_head&>(head).epoch;
}

inline constexpr stack_head_type test_head_type{sizeof(test_head), make_test_head};

// Stacks taken from one pool and given back to it at the end.
struct taken {
  explicit taken(stack_pool& from) : pool(from) {}
  ~taken() { give_all(); }

  stack_head* take(std::uint8_t size_class = default_stack_class) {
    stack_head* const stack = pool.take(size_class);
    if (stack != nullptr) stacks.push_back(stack);
    return stack;
  }
  void take_many(std::size_t count, std::uint8_t size_class = default_stack_class) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_NE(take(size_class), nullptr);
  }
  void give_all() {
    for (stack_head* each : stacks) pool.give(each);
    stacks.clear();
  }

  stack_pool& pool;
  std::vector<stack_head*> stacks;
};

inline std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  std::size_t count = 0;
  while (std::getline(maps, line)) ++count;
  return count;
}

inline std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * page_size();
}

}  // namespace weft::detail
