// The runtimes of the process: for reports, and for debuggers.
#pragma once

#include <cstddef>

namespace weft::inline v0::detail {

class scheduler;

// While one lives, `s` is in the list. Debuggers read it: three pointers, in this order.
class alive_entry {
 public:
  explicit alive_entry(const scheduler& s) noexcept;
  ~alive_entry();
  alive_entry(const alive_entry&) = delete;
  alive_entry& operator=(const alive_entry&) = delete;

 private:
  alive_entry* next_;
  const void* newest_chunk_;  // Where the slab keeps its list of chunks.
  const void* cores_;         // A vector of pointers to cores.
};

std::size_t alive_schedulers() noexcept;

}  // namespace weft::inline v0::detail
