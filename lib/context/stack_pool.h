// A core's own stacks: for each size class a LIFO of warm ones, refilled from the depot and the arena and
// spilled to the depot in batches. Taking and giving touch no shared memory until a batch is due.
//
// Thread safety: one owner at a time, a core's worker; statistics may be read by anyone. A stack may go back
//   to another pool of the same set than the one it came from.
#pragma once

#include <cstddef>
#include <cstdint>

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

#include "context/stack.h"
#include "context/stack_arena.h"

namespace weft::inline v0::detail {

class stack_pool {
 public:
  static constexpr std::uint32_t capacity = 64;  // Warm stacks of a class; above, a batch goes to the depot.

  explicit stack_pool(stack_arena_set& arenas) noexcept;
  ~stack_pool();  // Flushes.
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;

  // Returns: a stack with a live head, the one given back last if there is one; nullptr when no stack can be
  //   had, and then the set's last_error() says why.
  // Requires: size_class < stack_class_count.
  WEFT_ALWAYS_INLINE stack_head* take(std::uint8_t size_class) noexcept {
    shelf& from = shelves_[size_class];
    stack_head* const stack = from.warm;
    if (stack == nullptr) [[unlikely]]
      return take_slow(size_class);
    from.warm = stack->next;
    from.count.store(from.count.load(relaxed) - 1, relaxed);  // Only the owner writes it.
    return stack;
  }

  // Gives a stack of the same set back. The caller no longer stands on it, and its head stays as it is.
  WEFT_ALWAYS_INLINE void give(stack_head* stack) noexcept {
    shelf& to = shelves_[stack->size_class];
    std::uint32_t const count = to.count.load(relaxed);
    stack->next = to.warm;
    to.warm = stack;
    to.count.store(count + 1, relaxed);
    if (count >= capacity) [[unlikely]]
      spill(to);
  }

  // Gives everything to the depot and the arena, for a core that stops or sleeps for long.
  void flush() noexcept;

  // Returns: the stacks of a class that lie here, warm and not yet touched. Thread safety: anyone.
  std::size_t cached(std::uint8_t size_class) const noexcept;

 private:
  friend class stack_arena_set;

  struct shelf {
    stack_head* warm = nullptr;
    atomic<std::uint32_t> count{0};        // Length of `warm`. Stale reads only blur statistics.
    atomic<std::uint32_t> spare_count{0};  // Of `spare`, likewise.
    std::uint32_t spare[stack_batch];      // Indices of guarded stacks without a head, the next one last.
  };

  WEFT_NOINLINE stack_head* take_slow(std::uint8_t size_class) noexcept;
  WEFT_NOINLINE void spill(shelf& from) noexcept;

  stack_arena_set& arenas_;
  shelf shelves_[stack_class_count];
  stack_pool* next_pool_ = nullptr;  // The set's list of pools, under its lock.
  stack_pool* previous_pool_ = nullptr;
};

}  // namespace weft::inline v0::detail
