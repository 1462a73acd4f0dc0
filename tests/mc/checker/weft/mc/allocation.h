// The heap of an execution. What is freed stays unused until the execution ends, so that a late touch is found.
#pragma once

#include <weft/mc/clocks.h>

#include <cstddef>
#include <string>

namespace weft::mc {

struct allocation {
  static void begin();  // Of an execution.
  static void end();

  static bool is_freed(const void* address);
  // Whether the allocation of the block around `address` happened before what `clock` knows; true outside of blocks.
  static bool is_published(const void* address, const vector_clock& clock);
  static std::string leaks();  // Empty if there are none.
};

// What is allocated in between belongs to no execution: variables that the process keeps.
class kept_allocations {
 public:
  kept_allocations() noexcept;
  ~kept_allocations();
  kept_allocations(const kept_allocations&) = delete;
  kept_allocations& operator=(const kept_allocations&) = delete;
};

}  // namespace weft::mc
