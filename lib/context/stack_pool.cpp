#include "context/stack_pool.h"

#include <algorithm>
#include <cassert>

namespace weft::inline v0::detail {

stack_pool::stack_pool(stack_arena_set& arenas) noexcept : arenas_(arenas) { arenas_.enlist(this); }

stack_pool::~stack_pool() {
  flush();
  arenas_.delist(this);
}

// Warm stacks of other cores come first: a new one costs a guard and a page fault.
stack_head* stack_pool::take_slow(std::uint8_t size_class) noexcept {
  assert(size_class < stack_class_count);
  shelf& to = shelves_[size_class];
  if (stack_head* const batch = arenas_.take_batch(size_class)) {
    to.warm = batch->next;
    to.count.store(batch->batch_size - 1u, relaxed);
    return batch;
  }
  std::uint32_t spares = to.spare_count.load(relaxed);
  if (spares == 0) {
    spares = static_cast<std::uint32_t>(arenas_.take_cold(size_class, to.spare));
    if (spares == 0) return nullptr;
    std::reverse(to.spare, to.spare + spares);  // Neighbours share page tables: lowest address first.
  }
  to.spare_count.store(spares - 1, relaxed);
  return arenas_.warm_up(to.spare[spares - 1]);
}

// The oldest go: the newest are the ones still in the cache.
void stack_pool::spill(shelf& from) noexcept {
  std::uint32_t const count = from.count.load(relaxed);
  stack_head* last = from.warm;
  for (std::uint32_t i = 1; i < count - stack_batch; ++i) last = last->next;
  stack_head* const batch = last->next;
  last->next = nullptr;
  from.count.store(count - stack_batch, relaxed);
  arenas_.give_batch(batch, stack_batch);
}

void stack_pool::flush() noexcept {
  for (std::uint8_t c = 0; c < stack_class_count; ++c) {
    shelf& from = shelves_[c];
    while (from.count.load(relaxed) > stack_batch) spill(from);
    if (from.warm != nullptr) {
      stack_head* const batch = from.warm;
      auto const count = static_cast<std::uint8_t>(from.count.load(relaxed));
      from.warm = nullptr;
      from.count.store(0, relaxed);
      arenas_.give_batch(batch, count);
    }
    std::span<const std::uint32_t> const spares(from.spare, from.spare_count.load(relaxed));
    from.spare_count.store(0, relaxed);
    if (!spares.empty()) arenas_.give_cold(c, spares);
  }
}

std::size_t stack_pool::cached(std::uint8_t size_class) const noexcept {
  shelf const& here = shelves_[size_class];
  return std::size_t{here.count.load(relaxed)} + here.spare_count.load(relaxed);
}

}  // namespace weft::inline v0::detail
