// The allocator of fiber records: blocks of a few sizes out of chunks that are never given back.
//
// Roles: a *heap* belongs to one worker (or, as shared_slab_heap, to all plain threads), which alone allocates from
//   it; any thread releases; *walkers* visit every block at any time.
// Invariant: a chunk serves one heap and one size class for good, and stays readable until its source dies. So
//   whoever holds an old pointer to a record reads an older or a newer record there, never a fault, and never half of
//   another class of block. A free block is in exactly one list: local_ of its class, or returned_ of its class.
// Protocol:
//   release: the owning heap pushes to local_; everyone else to returned_, by compare-and-swap.
//   allocate: local_ first; then all of returned_ by one exchange, which needs no protection against reuse; then a
//     block of the newest chunk that was never used; then a new chunk.
//   walk: the chunks of the source form a list that only grows at its head; of each, the blocks below carved_ exist.
#pragma once

#include "base/cache_line.h"
#include "platform/spin_lock.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

namespace weft::inline v0::detail {

class slab_heap;

// A chunk starts with this; a block finds it by masking its own address.
struct alignas(cache_line) slab_chunk {
  static constexpr std::size_t bytes = 64 * 1024;
  static constexpr std::size_t first_block = 128;  // Offset; room for this header.

  slab_heap* owner;
  slab_chunk* older;  // In the source's list.
  std::uint32_t size_class;
  std::uint32_t block_bytes;
  std::uint32_t block_count;
  atomic<std::uint32_t> carved{0};  // Blocks handed out at least once; the owner counts up, walkers read.

  void* block(std::uint32_t index) noexcept {
    return reinterpret_cast<std::byte*>(this) + first_block + std::size_t{index} * block_bytes;
  }
  static slab_chunk* of(const void* block) noexcept {
    return reinterpret_cast<slab_chunk*>(reinterpret_cast<std::uintptr_t>(block) & ~(bytes - 1));
  }
};
static_assert(sizeof(slab_chunk) <= slab_chunk::first_block);

// Where the heaps of one runtime get their chunks from.
//
// Thread safety: all members may be called at once, by any thread.
// Lifetime: outlives its heaps, and every pointer to a block, live or stale.
class slab_chunk_source {
 public:
  slab_chunk_source() = default;
  ~slab_chunk_source();
  slab_chunk_source(const slab_chunk_source&) = delete;
  slab_chunk_source& operator=(const slab_chunk_source&) = delete;

  // Calls `visit(void* block, std::size_t block_bytes)` for every block that was ever allocated, live or free: the
  // block itself tells which, in a word that its users read and write atomically. Blocks that are allocated meanwhile
  // may be missed.
  // Blocks: never; it takes no lock, and may run in a signal handler.
  template <class Visit>
  void for_each_block(Visit&& visit) const {
    // Acquire pairs with take() and refill(): headers and zeroed blocks are visible.
    for (slab_chunk* chunk = newest_.load(acquire); chunk != nullptr; chunk = chunk->older) {
      const std::uint32_t carved = chunk->carved.load(acquire);
      for (std::uint32_t i = 0; i < carved; ++i) visit(chunk->block(i), std::size_t{chunk->block_bytes});
    }
  }

  // Returns: the memory that the heaps have taken, in bytes; a little old.
  std::size_t bytes_in_use() const noexcept { return chunk_count_.load(relaxed) * slab_chunk::bytes; }

 private:
  friend class slab_heap;
  friend struct debugger_layout;
  struct extent;

  slab_chunk* take(slab_heap& owner, std::uint32_t size_class);  // Throws: std::bad_alloc.
  void* take_fresh() noexcept;

  spin_lock lock_;
  extent* extents_ = nullptr;  // Guarded by lock_, as the next two. The newest is the one that is used up last.
  std::byte* fresh_ = nullptr;
  std::byte* fresh_end_ = nullptr;
  atomic<slab_chunk*> newest_{nullptr};
  atomic<std::size_t> chunk_count_{0};
};

// The blocks of one worker.
//
// Thread safety: allocate() belongs to one owner thread at a time; release() to any thread.
// Lifetime: outlives the last release() of its blocks; its source outlives it.
class slab_heap {
 public:
  static constexpr std::array<std::uint32_t, 7> block_sizes{128, 192, 256, 384, 512, 768, 1024};
  static constexpr std::size_t largest_block = block_sizes.back();
  static constexpr std::size_t block_alignment = 64;
  static constexpr std::size_t zeroed_bytes = 64;  // At the start of a block that is used for the first time.

  explicit slab_heap(slab_chunk_source& source) noexcept : source_(source) {}
  slab_heap(const slab_heap&) = delete;
  slab_heap& operator=(const slab_heap&) = delete;

  // Owner. Returns: a block of at least `bytes` bytes, or null if `bytes` is more than `largest_block`. The first
  //   word of a block is undefined; the rest is as its last user left it, and at first use its first `zeroed_bytes` are
  //   zero.
  // Throws: std::bad_alloc.
  WEFT_ALWAYS_INLINE void* allocate(std::size_t bytes) {
    if (bytes > largest_block) return nullptr;
    const std::uint32_t size_class = class_of(bytes);
    free_block*& local = local_[size_class];
    if (local == nullptr) [[unlikely]]
      return refill(size_class);
    free_block* const block = local;
    local = block->next;
    return block;
  }

  // Any thread. Gives back `block`, which any heap of any source allocated; only its first word is overwritten.
  // `mine` is the heap that the caller owns, or null.
  WEFT_ALWAYS_INLINE static void release(void* block, slab_heap* mine) noexcept {
    const slab_chunk* const chunk = slab_chunk::of(block);
    if (mine != nullptr && chunk->owner == mine) [[likely]] {
      auto* const freed = static_cast<free_block*>(block);
      free_block*& local = mine->local_[chunk->size_class];
      freed->next = local;
      local = freed;
    } else {
      chunk->owner->take_back(block, chunk->size_class);
    }
  }

  slab_chunk_source& source() const noexcept { return source_; }

  // Returns: how large the block is, in bytes.
  static std::size_t block_bytes(const void* block) noexcept { return slab_chunk::of(block)->block_bytes; }

 private:
  struct free_block {
    free_block* next;
  };

  static constexpr std::uint32_t class_of(std::size_t bytes) noexcept { return class_of_units[(bytes + 63) / 64]; }
  static constexpr auto class_of_units = [] {
    std::array<std::uint8_t, largest_block / 64 + 1> table{};
    for (std::size_t units = 0; units < table.size(); ++units) {
      while (block_sizes[table[units]] < units * 64) ++table[units];
    }
    return table;
  }();

  void* refill(std::uint32_t size_class);  // Throws: std::bad_alloc.
  void take_back(void* block, std::uint32_t size_class) noexcept;

  slab_chunk_source& source_;
  std::array<free_block*, block_sizes.size()> local_{};
  std::array<slab_chunk*, block_sizes.size()> newest_chunk_{};  // All others are carved to their ends.

  // Written by others.
  alignas(cache_line) std::array<atomic<free_block*>, block_sizes.size()> returned_{};
};

// The heap from which threads that are no workers allocate. What they allocated is given back by slab_heap::release().
//
// Thread safety: all members may be called at once, by any thread.
class shared_slab_heap {
 public:
  explicit shared_slab_heap(slab_chunk_source& source) noexcept : heap_(source) {}

  // As slab_heap::allocate().
  void* allocate(std::size_t bytes) {
    const std::scoped_lock hold(lock_);
    return heap_.allocate(bytes);
  }

 private:
  spin_lock lock_;
  slab_heap heap_;
};

}  // namespace weft::inline v0::detail
