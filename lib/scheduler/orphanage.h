// The memory of a runtime's fiber records, and what becomes of it when handles of ended fibers outlive the
// runtime.
#pragma once

#include "scheduler/slab.h"

#include <weft/detail/atomic.h>

#include <memory>
#include <vector>

namespace weft::inline v0::detail {

// All slabs of one runtime. Whoever releases a record touches nothing but this.
struct record_memory {
  slab_chunk_source chunks;
  shared_slab_heap outside{chunks};
  std::vector<std::unique_ptr<slab_heap>> heaps;  // One for each core.

  explicit record_memory(std::size_t cores) {
    for (std::size_t i = 0; i < cores; ++i) heaps.push_back(std::make_unique<slab_heap>(chunks));
  }
};

// Keeps the memory of a runtime that is gone until the last of its records is released.
class orphanage {
 public:
  explicit orphanage(std::unique_ptr<record_memory> memory) noexcept : memory_(std::move(memory)) {}

  // Its maker only, which holds one itself until all records have moved in.
  void hold() noexcept { held_.fetch_add(1, relaxed); }

  // Its maker only: a release was caught half-way, and nobody will say when it is through.
  void keep_for_ever() noexcept { hold(); }

  // One record less. The last one frees the memory.
  void release() noexcept {
    if (held_.fetch_sub(1, acq_rel) == 1) delete this;
  }

  record_memory& memory() noexcept { return *memory_; }

 private:
  std::unique_ptr<record_memory> memory_;
  atomic<std::uint32_t> held_{1};
};

}  // namespace weft::inline v0::detail
