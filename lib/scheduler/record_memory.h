// The memory of a runtime's fiber records, and what becomes of it when handles of ended fibers outlive the runtime.
//
// Roles: *workers* of the runtime, which end before it does; *strangers*, all other threads that own handles; the
//   *closer*, which ends the runtime when no fiber is left.
// Invariant: the scheduler that owner() names is alive while a stranger's visit lasts. The memory is freed by whoever
//   lets go of it last: the closer, or a stranger that releases the last record.
// Protocol: a stranger counts itself as a visitor, full fence, reads the owner  ||  the closer clears the owner, full
//   fence, waits until there is no visitor; so either the stranger sees that the runtime is gone, or the closer waits.
//   A stranger that finds it gone leaves the record as it is and lets go of one; the closer counts all records that have
//   ended and are not free, and takes them for those that strangers will let go.
#pragma once

#include "platform/thread.h"
#include "scheduler/slab.h"

#include <weft/detail/atomic.h>

#include <memory>
#include <vector>

namespace weft::inline v0::detail {

class scheduler;

class record_memory : public slab_chunk_source {
 public:
  record_memory(scheduler& owner, std::size_t cores) : owner_(&owner) {
    for (std::size_t i = 0; i < cores; ++i) heaps.push_back(std::make_unique<slab_heap>(*this));
  }

  static record_memory& of(void* block) noexcept {
    return static_cast<record_memory&>(slab_chunk::of(block)->owner->source());
  }

  // Keeps the scheduler of a record alive, unless it is gone already. The caller holds a reference to the record.
  class visit {
   public:
    explicit visit(record_memory& m) noexcept : memory_(m) {
      memory_.visitors_.fetch_add(1, seq_cst);
      full_fence();  // Pairs with close().
    }
    ~visit() { memory_.visitors_.fetch_sub(1, release); }  // Pairs with close().
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

    scheduler* owner() const noexcept { return memory_.owner_.load(acquire); }

   private:
    record_memory& memory_;
  };

  // Closer. Afterwards no stranger uses the scheduler.
  void close() noexcept {
    owner_.store(nullptr, seq_cst);
    full_fence();  // Pairs with visit.
    while (visitors_.load(acquire) != 0) yield_thread();
  }

  // Closer, last of all: `left` records are in strangers' hands.
  void leave_to_strangers(std::int64_t left) noexcept { drop(many - left); }

  // Stranger that found the owner gone, instead of freeing its record.
  void let_go() noexcept { drop(1); }

  shared_slab_heap outside{*this};
  std::vector<std::unique_ptr<slab_heap>> heaps;  // One for each core.

 private:
  static constexpr std::int64_t many = std::int64_t{1} << 60;  // More than there are records: keeps it until the count.

  void drop(std::int64_t n) noexcept {
    if (held_.fetch_sub(n, acq_rel) == n) delete this;
  }

  atomic<scheduler*> owner_;
  atomic<std::uint32_t> visitors_{0};
  atomic<std::int64_t> held_{many};
};

}  // namespace weft::inline v0::detail
