// The memory of all pooled stacks of one runtime: an arena for each size class that only ever grows, and a
// depot where the cores leave stacks for each other.
//
// An arena reserves address space in chunks (about 1 GiB each) and hands out slots of it in batches, guarded
// by one system call a batch. A slot is *bare* (no guard yet), *cold* (guarded, its pages untouched or given
// back, so it has no head) or *warm* (it has a head and at least one page). Pools take cold and warm ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <weft/detail/atomic.h>

#include "base/cache_line.h"
#include "context/stack.h"
#include "platform/spin_lock.h"
#include "platform/stack_memory.h"

namespace weft::inline v0::detail {

// What the scheduler keeps at the top of each stack, in the type-stable memory of the arena.
struct stack_head_type {
  std::size_t bytes;  // A multiple of 64, at most max_stack_head_bytes; the object starts with a stack_head.

  // Constructs the object in `memory`, its stack_head part a copy of `placed`. Called on the first use of a
  // stack, and again on the first use after its pages were given back. `first_epoch` is above every epoch
  // that the object may have used before, and never 0 (so zeroed memory matches no epoch).
  void (*make)(void* memory, const stack_head& placed, std::uint64_t first_epoch) noexcept;

  // Returns: the highest epoch that the object has used; asked before its pages are given back. When null,
  //   the arena trusts that no stack uses 2^32 epochs between two trims.
  std::uint64_t (*last_epoch)(const stack_head& head) noexcept = nullptr;
};

inline constexpr std::size_t stack_colours = 16;
inline constexpr std::size_t stack_colour_bytes = 64;
// The head, its colour and the frames of a shallow fiber (2 KiB) share the top page.
inline constexpr std::size_t max_stack_head_bytes = 4096 - 2048 - (stack_colours - 1) * stack_colour_bytes;
inline constexpr std::size_t stack_batch = 32;  // Stacks that move at once between a core, the depot and the arena.

struct stack_options {
  std::size_t max_stacks = 0;        // In use and pooled, over all classes; 0: as many as the kernel allows.
  std::optional<guard_kind> guards;  // Empty: best_guard_kind().
};

struct stack_statistics {
  std::size_t in_use = 0;          // Taken from a pool and not given back.
  std::size_t cached = 0;          // In the pools of the cores.
  std::size_t depot = 0;           // In the depot.
  std::size_t guards = 0;          // Guards installed; they stay.
  std::size_t trimmed = 0;         // Stacks whose pages were given back, counted over the life of the set.
  std::size_t reserved_bytes = 0;  // Address space, not memory.
};

class stack_pool;

// Thread safety: every member may be called from any thread at once.
// Lifetime: pools are destroyed first; no stack of the set is in use or looked at when it dies.
class stack_arena_set {
 public:
  // Throws: std::system_error (EINVAL) when the head type does not fit.
  explicit stack_arena_set(const stack_head_type& head, const stack_options& options = {});
  ~stack_arena_set();
  stack_arena_set(const stack_arena_set&) = delete;
  stack_arena_set& operator=(const stack_arena_set&) = delete;

  // Returns: where the head of stack `index` lies, computed without reading the stack.
  // Requires: `index` is one that this set has handed out.
  stack_head* at(std::uint32_t index) const noexcept;

  // Returns: the index of the stack whose usable range, head or guard holds `address`; no_stack when it is
  //   none of this set's. Async-signal-safe.
  std::uint32_t find(const void* address) const noexcept;

  // Gives the pages of depot stacks back to the kernel, all of the stack and its head, until at most `keep` stacks are
  // left in the depot. For an idle moment: it costs about 1 us a stack, and the next use a page fault each.
  // Returns: the number of stacks given back.
  std::size_t trim(std::size_t keep) noexcept;

  // Returns: sums over all classes, or for one class, with the pools that exist now. Exact when no pool is in use at
  //   the moment, else nearly so.
  stack_statistics statistics() const noexcept;
  stack_statistics statistics(std::uint8_t size_class) const noexcept;

  guard_kind guards() const noexcept { return guards_; }

  // Returns: a sentence on why the last take() of any pool returned nullptr, naming the call and the setting that
  //   stands in the way; empty when none has.
  // Throws: std::bad_alloc.
  std::string last_error() const;
  int last_error_number() const noexcept;  // An errno value, mostly ENOMEM; 0 when none has.

 private:
  friend class stack_pool;

  struct chunk_layout {  // The same for all chunks of a class.
    std::size_t usable = 0;
    std::size_t stride = 0;       // Guard and usable range.
    std::size_t links_bytes = 0;  // At the low end of the chunk: one std::uint32_t a slot.
    std::uint32_t slots_log2 = 0;
  };

  static constexpr std::uint32_t class_shift = 29;
  static constexpr std::uint32_t ordinal_mask = (std::uint32_t{1} << class_shift) - 1;
  static constexpr std::uint32_t max_chunks = 1024;

  struct chunk {
    atomic<std::byte*> base{nullptr};  // Null until reserved. Written last, under the arena's lock.
    std::size_t bytes = 0;
  };

  struct alignas(cache_line) arena {
    chunk_layout layout;
    std::unique_ptr<chunk[]> chunks;  // max_chunks of them.

    alignas(cache_line) spin_lock lock;  // Guards the plain members below.
    std::uint32_t fresh_next = 0;        // Ordinals of the newest chunk that were never handed out: [next, end).
    std::uint32_t fresh_end = 0;
    std::uint32_t chunk_count = 0;
    std::uint32_t cold = no_stack;  // Lists of ordinals through the chunks' links.
    std::uint32_t bare = no_stack;
    std::size_t issued = 0;  // Handed out to pools, and not back in a list.
    std::size_t guarded = 0;
    std::size_t trimmed = 0;
    std::size_t reserved_bytes = 0;

    alignas(cache_line) spin_lock depot_lock;
    stack_head* depot = nullptr;          // Batches, newest first. Guarded by depot_lock.
    atomic<std::size_t> depot_stacks{0};  // Written under depot_lock; a stale read only costs a look.
  };

  enum class refusal : std::uint8_t { none, max_stacks, reserve, guard, guard_limit, index_space };

  // For the pools.
  std::size_t take_cold(std::uint8_t size_class, std::span<std::uint32_t, stack_batch> indices) noexcept;
  void give_cold(std::uint8_t size_class, std::span<const std::uint32_t> indices) noexcept;
  stack_head* warm_up(std::uint32_t index) noexcept;
  stack_head* take_batch(std::uint8_t size_class) noexcept;  // Linked by `next`; the first knows the number.
  void give_batch(stack_head* first, std::uint8_t count) noexcept;
  void enlist(stack_pool* pool) noexcept;
  void delist(stack_pool* pool) noexcept;

  std::size_t collect(arena& from, std::size_t wanted, std::span<std::uint32_t, stack_batch> ordinals,
                      bool& cold) noexcept;
  bool grow(arena& into) noexcept;
  std::size_t guard_slots(arena& of, std::span<const std::uint32_t> ordinals) noexcept;
  std::size_t allowance(std::size_t wanted) noexcept;
  void refuse(refusal why, int error, std::size_t size_class) noexcept;
  void give_back(stack_head* batch) noexcept;

  std::byte* slot(const arena& of, std::uint32_t ordinal) const noexcept;
  std::uint32_t& link(const arena& of, std::uint32_t ordinal) const noexcept;
  std::byte* head_address(const arena& of, std::uint32_t ordinal) const noexcept;

  stack_head_type head_;
  guard_kind guards_;
  std::size_t max_stacks_;
  std::size_t max_maps_ = 0;  // With mprotect guards: vm.max_map_count, 0 when unknown.
  atomic<std::size_t> issued_{0};
  atomic<std::uint64_t> first_epoch_{std::uint64_t{1} << 32};
  atomic<std::uint64_t> last_refusal_{0};  // A packed refusal, errno and class.
  mutable arena arenas_[stack_class_count];

  mutable spin_lock pools_lock_;
  stack_pool* pools_ = nullptr;
};

}  // namespace weft::inline v0::detail
