// The memory of an execution: its heap, the stacks of its threads, and what it asks the system for. All of it lies in
// one range of addresses, the same in every execution, so that what is plain memory of a model is told by its address.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::mc {

struct execution_memory {
  static constexpr std::size_t bytes = std::size_t{1} << 29;

  static char* begin() noexcept { return begin_; }
  static bool holds(const void* address) noexcept {
    return static_cast<std::size_t>(static_cast<const char*>(address) - begin_) < bytes;
  }

  // Blocks are used once: nothing is taken back before the next execution begins.
  static void start_anew() noexcept { used_ = kept_; }
  static void* take(std::size_t size, std::size_t alignment);
  // Whole pages read as zeroes.
  static void clear(void* pages, std::size_t size) noexcept;

  // Keeps what was taken so far for all executions to come: stacks of threads.
  static void keep() noexcept { kept_ = used_; }

 private:
  static char* reserve();

  static char* const begin_;
  static inline std::size_t used_ = 0;
  static inline std::size_t kept_ = 0;
};

}  // namespace weft::mc
