#include "scheduler/slab.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace weft::inline v0::detail {

namespace {
constexpr std::align_val_t chunk_alignment{slab_chunk::bytes};
constexpr std::size_t first_extent = 4;     // Chunks: a small runtime takes little,
constexpr std::size_t largest_extent = 64;  // and a large one few pieces, for each wastes up to a chunk on alignment.
}  // namespace

// A run of chunks that was allocated at once.
struct slab_chunk_source::extent {
  explicit extent(std::size_t its_chunks)
      : chunks(its_chunks),
        memory(static_cast<std::byte*>(::operator new(its_chunks* slab_chunk::bytes, chunk_alignment))) {}
  ~extent() { ::operator delete(memory, chunk_alignment); }
  extent(const extent&) = delete;
  extent& operator=(const extent&) = delete;

  std::size_t chunks;
  std::byte* memory;
  extent* older = nullptr;
};

slab_chunk_source::~slab_chunk_source() {
  while (extents_ != nullptr) delete std::exchange(extents_, extents_->older);
}

// Requires: lock_.
void* slab_chunk_source::take_fresh() noexcept {
  if (fresh_ == fresh_end_) return nullptr;
  return std::exchange(fresh_, fresh_ + slab_chunk::bytes);
}

slab_chunk* slab_chunk_source::take(slab_heap& owner, std::uint32_t size_class) {
  void* memory = nullptr;
  std::size_t wanted = first_extent;
  {
    const std::scoped_lock hold(lock_);
    memory = take_fresh();
    if (extents_ != nullptr) wanted = std::min(extents_->chunks * 2, largest_extent);
  }
  if (memory == nullptr) {
    // Allocated with the lock dropped; if another heap was quicker, its extent serves us, and ours is given back.
    auto grown = std::make_unique<extent>(wanted);
    const std::scoped_lock hold(lock_);
    memory = take_fresh();
    if (memory == nullptr) {
      fresh_ = grown->memory;
      fresh_end_ = fresh_ + grown->chunks * slab_chunk::bytes;
      grown->older = extents_;
      extents_ = grown.release();
      memory = take_fresh();
    }
  }

  auto* const chunk = ::new (memory) slab_chunk;
  chunk->owner = &owner;
  chunk->size_class = size_class;
  chunk->block_bytes = slab_heap::block_sizes[size_class];
  chunk->block_count = static_cast<std::uint32_t>((slab_chunk::bytes - slab_chunk::first_block) / chunk->block_bytes);
  chunk->older = newest_.load(relaxed);
  // Pairs with for_each_block(): publishes the header.
  while (!newest_.compare_exchange_weak(chunk->older, chunk, release, relaxed)) {
  }
  chunk_count_.fetch_add(1, relaxed);
  return chunk;
}

// Blocks are carved one at a time: a page is touched when its first block is needed.
void* slab_heap::refill(std::uint32_t size_class) {
  atomic<free_block*>& returned = returned_[size_class];
  if (returned.load(relaxed) != nullptr) {  // Stale: we find it the next time.
    // Acquire pairs with take_back(): the last users of these blocks are done with them.
    free_block* const block = returned.exchange(nullptr, acquire);
    local_[size_class] = block->next;
    return block;
  }
  slab_chunk*& chunk = newest_chunk_[size_class];
  // Only the owner counts up.
  if (chunk == nullptr || chunk->carved.load(relaxed) == chunk->block_count) chunk = source_.take(*this, size_class);
  const std::uint32_t index = chunk->carved.load(relaxed);
  void* const block = chunk->block(index);
  std::memset(block, 0, zeroed_bytes);
  chunk->carved.store(index + 1, detail::release);  // Pairs with for_each_block(): the zeroes are visible.
  return block;
}

void slab_heap::take_back(void* block, std::uint32_t size_class) noexcept {
  auto* const freed = static_cast<free_block*>(block);
  atomic<free_block*>& returned = returned_[size_class];
  free_block* newest = returned.load(relaxed);  // Only compared: stale means one more round.
  do {
    freed->next = newest;
  } while (!returned.compare_exchange_weak(newest, freed, detail::release, relaxed));  // Pairs with refill().
}

}  // namespace weft::inline v0::detail
