// Roles: a pool, used by its owner only, takes and gives batches; anyone computes addresses, trims and asks for
//   statistics.
// Invariant: a slot is in exactly one place: fresh, a list of its arena (bare, cold), the depot, a pool, or in use.
//   Whoever took it out of one place is alone with it until it puts it into another.
// Protocol: an arena's lock guards its lists and its newest chunk, the depot's lock the batches, and neither is held
//   over a system call: guards are installed, and pages given back, while the slots are out of every list. Links of
//   slots without a head lie at the low end of their chunk, because a slot without a page must not be touched.
#include "context/stack_arena.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cerrno>
#include <mutex>
#include <system_error>

namespace weft::inline v0::detail {

namespace {

// Large stacks move in smaller batches: their guards cost a page table each.
constexpr std::uint8_t class_batch[stack_class_count] = {32, 32, 32, 8, 4};

#if defined(WEFT_ASAN) || defined(WEFT_TSAN) || defined(WEFT_VALGRIND)
constexpr std::size_t chunk_bytes = std::size_t{64} << 20;  // Their shadow memory is paid for at once.
#else
constexpr std::size_t chunk_bytes = std::size_t{1} << 30;
#endif

constexpr std::uint32_t min_chunk_slots = 32;

// Guards of the mprotect kind in the whole process: the map count is the process's, not a runtime's.
atomic<std::size_t> mprotect_guards{0};

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

stack_arena_set::stack_arena_set(const stack_head_type& head, const stack_options& options)
    : head_(head), guards_(options.guards ? *options.guards : best_guard_kind()), max_stacks_(options.max_stacks) {
  if (head.make == nullptr || head.bytes % stack_colour_bytes != 0 || head.bytes < sizeof(stack_head) ||
      head.bytes > max_stack_head_bytes) {
    throw std::system_error(EINVAL, std::generic_category(),
                            "stack arenas: a head of " + std::to_string(head.bytes) + " bytes");
  }
  // A sixteenth of the mappings is left to the rest of the process; each guard takes two.
  if (guards_ == guard_kind::mprotect) max_maps_ = max_map_count();
  for (std::size_t c = 0; c < stack_class_count; ++c) {
    chunk_layout& layout = arenas_[c].layout;
    layout.usable = round_up(stack_class_bytes[c], page_size());
    layout.stride = layout.usable + round_up(stack_guard_bytes, page_size());
    layout.slots_log2 = static_cast<std::uint32_t>(
        std::countr_zero(std::max<std::size_t>(std::bit_ceil(chunk_bytes / layout.stride), min_chunk_slots)));
    layout.links_bytes = round_up(sizeof(std::uint32_t) << layout.slots_log2, page_size());
    arenas_[c].chunks = std::make_unique<chunk[]>(max_chunks);
  }
}

stack_arena_set::~stack_arena_set() {
  assert(pools_ == nullptr);
  for (arena& each : arenas_) {
    for (std::uint32_t i = 0; i < each.chunk_count; ++i) {
      release_memory(each.chunks[i].base.load(relaxed), each.chunks[i].bytes);  // No other thread is left.
    }
    if (guards_ == guard_kind::mprotect) mprotect_guards.fetch_sub(each.guarded, relaxed);  // A count only.
  }
}

std::byte* stack_arena_set::slot(const arena& of, std::uint32_t ordinal) const noexcept {
  // Pairs with the release in grow().
  std::byte* const base = of.chunks[ordinal >> of.layout.slots_log2].base.load(acquire);
  std::size_t const place = ordinal & ((std::uint32_t{1} << of.layout.slots_log2) - 1);
  return base + of.layout.links_bytes + place * of.layout.stride;
}

std::uint32_t& stack_arena_set::link(const arena& of, std::uint32_t ordinal) const noexcept {
  std::byte* const base = of.chunks[ordinal >> of.layout.slots_log2].base.load(relaxed);  // Under the lock.
  return reinterpret_cast<std::uint32_t*>(base)[ordinal & ((std::uint32_t{1} << of.layout.slots_log2) - 1)];
}

std::byte* stack_arena_set::head_address(const arena& of, std::uint32_t ordinal) const noexcept {
  return slot(of, ordinal) + of.layout.stride - head_.bytes - ordinal % stack_colours * stack_colour_bytes;
}

stack_head* stack_arena_set::at(std::uint32_t index) const noexcept {
  return reinterpret_cast<stack_head*>(head_address(arenas_[index >> class_shift], index & ordinal_mask));
}

std::uint32_t stack_arena_set::find(const void* address) const noexcept {
  auto const wanted = reinterpret_cast<std::uintptr_t>(address);
  for (std::uint32_t c = 0; c < stack_class_count; ++c) {
    arena const& in = arenas_[c];
    for (std::uint32_t i = 0; i < max_chunks; ++i) {
      std::byte* const base = in.chunks[i].base.load(acquire);  // Pairs with the release in grow().
      if (base == nullptr) break;
      std::uintptr_t const first = reinterpret_cast<std::uintptr_t>(base) + in.layout.links_bytes;
      if (wanted < first || wanted >= reinterpret_cast<std::uintptr_t>(base) + in.chunks[i].bytes) continue;
      auto const place = static_cast<std::uint32_t>((wanted - first) / in.layout.stride);
      return c << class_shift | i << in.layout.slots_log2 | place;
    }
  }
  return no_stack;
}

// Counts `wanted` more stacks in, but one at a time when max_stacks is near, so that no core sits on stacks
// that it does not use while another is refused.
std::size_t stack_arena_set::allowance(std::size_t wanted) noexcept {
  // Relaxed: the count limits, it publishes nothing.
  std::size_t issued = issued_.load(relaxed);
  std::size_t granted = wanted;
  do {
    if (max_stacks_ != 0) {
      if (issued >= max_stacks_) return 0;
      granted = (max_stacks_ - issued) / 64 >= wanted ? wanted : 1;
    }
  } while (!issued_.compare_exchange_weak(issued, issued + granted, relaxed));
  return granted;
}

std::size_t stack_arena_set::take_cold(std::uint8_t size_class,
                                       std::span<std::uint32_t, stack_batch> indices) noexcept {
  arena& from = arenas_[size_class];
  std::size_t const wanted = allowance(class_batch[size_class]);
  if (wanted == 0) {
    refuse(refusal::max_stacks, ENOMEM, size_class);
    return 0;
  }
  bool cold = false;
  std::size_t count = 0;
  do {
    std::lock_guard const hold(from.lock);
    count = collect(from, wanted, indices, cold);
    from.issued += count;
  } while (count == 0 && grow(from));  // The lock is free again here.
  std::size_t ready = count;
  if (!cold) {
    ready = guard_slots(from, std::span<const std::uint32_t>(indices).first(count));
    std::lock_guard const hold(from.lock);
    from.guarded += ready;
    from.issued -= count - ready;
    for (std::size_t i = ready; i < count; ++i) {
      link(from, indices[i]) = from.bare;
      from.bare = indices[i];
    }
  }
  issued_.fetch_sub(wanted - ready, relaxed);
  for (std::size_t i = 0; i < ready; ++i) indices[i] |= std::uint32_t{size_class} << class_shift;
  return ready;
}

// Requires: the arena's lock. Fills `ordinals` with up to `wanted` slots: all of them cold, or none.
std::size_t stack_arena_set::collect(arena& from, std::size_t wanted, std::span<std::uint32_t, stack_batch> ordinals,
                                     bool& cold) noexcept {
  std::size_t count = 0;
  while (count < wanted && from.cold != no_stack) {
    ordinals[count++] = from.cold;
    from.cold = link(from, from.cold);
  }
  cold = count != 0;
  if (cold) return count;
  while (count < wanted && from.bare != no_stack) {
    ordinals[count++] = from.bare;
    from.bare = link(from, from.bare);
  }
  while (count < wanted && from.fresh_next != from.fresh_end) ordinals[count++] = from.fresh_next++;
  return count;
}

// Reserves the next chunk, a smaller one where the kernel refuses a full one. When two threads do so at once, the
// slower gives its chunk back.
// Returns: whether another look at the arena is worth it.
bool stack_arena_set::grow(arena& into) noexcept {
  auto const size_class = static_cast<std::size_t>(&into - arenas_);
  std::size_t slots = std::size_t{1} << into.layout.slots_log2;
  if (max_stacks_ != 0) {
    slots = std::max<std::size_t>(std::bit_ceil(std::min(slots, max_stacks_)), min_chunk_slots);
  }
  std::byte* base = nullptr;
  std::size_t bytes = 0;
  for (;; slots /= 4) {
    bytes = into.layout.links_bytes + slots * into.layout.stride;
    int const error = reserve_memory(bytes, base);
    if (error == 0) break;
    if (slots / 4 < min_chunk_slots) {
      refuse(refusal::reserve, error, size_class);
      return false;
    }
  }
  into.lock.lock();
  bool const is_first = into.fresh_next == into.fresh_end;
  bool const has_room = into.chunk_count < max_chunks;
  if (is_first && has_room) {
    chunk& added = into.chunks[into.chunk_count];
    added.bytes = bytes;
    added.base.store(base, release);  // Pairs with slot() and find(): publishes the size.
    into.fresh_next = into.chunk_count << into.layout.slots_log2;
    into.fresh_end = into.fresh_next + static_cast<std::uint32_t>(slots);
    into.reserved_bytes += bytes;
    ++into.chunk_count;
  }
  into.lock.unlock();
  if (is_first && has_room) return true;
  release_memory(base, bytes);
  if (is_first) refuse(refusal::index_space, ENOMEM, size_class);
  return !is_first;
}

// Returns: how many of `ordinals`, from the first on, are guarded now.
std::size_t stack_arena_set::guard_slots(arena& of, std::span<const std::uint32_t> ordinals) noexcept {
  if (ordinals.empty()) return 0;
  auto const size_class = static_cast<std::size_t>(&of - arenas_);
  std::size_t count = ordinals.size();
  if (guards_ == guard_kind::mprotect) {
    std::size_t const others = mprotect_guards.fetch_add(count, relaxed);  // A count only.
    std::size_t const limit = max_maps_ == 0 ? others + count : (max_maps_ - max_maps_ / 16) / 2;
    std::size_t const granted = std::min(count, limit - std::min(limit, others));
    if (granted < count) {
      mprotect_guards.fetch_sub(count - granted, relaxed);
      if (granted == 0) refuse(refusal::guard_limit, ENOMEM, size_class);
      count = granted;
    }
  }
  std::array<iovec, stack_batch> ranges;
  for (std::size_t i = 0; i < count; ++i) {
    ranges[i] = {slot(of, ordinals[i]), of.layout.stride - of.layout.usable};
  }
  guard_result const result = install_guards(guards_, std::span<const iovec>(ranges).first(count));
  if (result.installed < count) {
    if (result.installed == 0) refuse(refusal::guard, result.error, size_class);
    if (guards_ == guard_kind::mprotect) mprotect_guards.fetch_sub(count - result.installed, relaxed);
  }
  return result.installed;
}

void stack_arena_set::give_cold(std::uint8_t size_class, std::span<const std::uint32_t> indices) noexcept {
  arena& to = arenas_[size_class];
  {
    std::lock_guard const hold(to.lock);
    for (std::uint32_t const index : indices) {
      link(to, index & ordinal_mask) = to.cold;
      to.cold = index & ordinal_mask;
    }
    to.issued -= indices.size();
  }
  issued_.fetch_sub(indices.size(), relaxed);
}

stack_head* stack_arena_set::warm_up(std::uint32_t index) noexcept {
  arena const& in = arenas_[index >> class_shift];
  std::byte* const memory = head_address(in, index & ordinal_mask);
  stack_head const placed{.low = slot(in, index & ordinal_mask) + in.layout.stride - in.layout.usable,
                          .top = memory,
                          .next = nullptr,
                          .next_batch = nullptr,
                          .index = index,
                          .size_class = static_cast<std::uint8_t>(index >> class_shift),
                          .batch_size = 0};
  // Relaxed: give_back() raised it before the stack became cold, and the arena's lock orders the two.
  head_.make(memory, placed, first_epoch_.load(relaxed));
  return reinterpret_cast<stack_head*>(memory);
}

stack_head* stack_arena_set::take_batch(std::uint8_t size_class) noexcept {
  arena& from = arenas_[size_class];
  if (from.depot_stacks.load(relaxed) == 0) return nullptr;  // A stale zero only makes the arena grow.
  std::lock_guard const hold(from.depot_lock);
  stack_head* const batch = from.depot;
  if (batch == nullptr) return nullptr;
  from.depot = batch->next_batch;
  from.depot_stacks.store(from.depot_stacks.load(relaxed) - batch->batch_size, relaxed);
  return batch;
}

void stack_arena_set::give_batch(stack_head* first, std::uint8_t count) noexcept {
  arena& to = arenas_[first->size_class];
  first->batch_size = count;
  std::lock_guard const hold(to.depot_lock);
  first->next_batch = to.depot;
  to.depot = first;
  to.depot_stacks.store(to.depot_stacks.load(relaxed) + count, relaxed);
}

std::size_t stack_arena_set::trim(std::size_t keep) noexcept {
  std::size_t kept = 0;
  for (arena const& each : arenas_) kept += each.depot_stacks.load(relaxed);  // A guess is enough.
  std::size_t given_back = 0;
  for (std::uint8_t c = 0; c < stack_class_count; ++c) {
    while (kept > keep) {
      stack_head* const batch = take_batch(c);
      if (batch == nullptr) break;
      std::size_t const count = batch->batch_size;
      give_back(batch);
      given_back += count;
      kept -= std::min(kept, count);
    }
  }
  return given_back;
}

// Everything that is needed of the heads is read before their pages go.
void stack_arena_set::give_back(stack_head* batch) noexcept {
  std::uint8_t const size_class = batch->size_class;
  arena& to = arenas_[size_class];
  std::array<std::uint32_t, stack_batch> indices;
  std::array<iovec, stack_batch> ranges;
  std::size_t count = 0;
  std::uint64_t newest = 0;
  for (stack_head* each = batch; each != nullptr; each = each->next) {
    indices[count] = each->index;
    ranges[count++] = {each->low, to.layout.usable};
    if (head_.last_epoch != nullptr) newest = std::max(newest, head_.last_epoch(*each));
  }
  // Relaxed: give_cold() publishes it with the slots.
  if (head_.last_epoch == nullptr) {
    first_epoch_.fetch_add(std::uint64_t{1} << 32, relaxed);
  } else {
    std::uint64_t first = first_epoch_.load(relaxed);
    while (first <= newest && !first_epoch_.compare_exchange_weak(first, newest + 1, relaxed)) {
    }
  }
  // Where the kernel refuses (locked memory) the pages stay, and the head is made anew all the same.
  release_pages(std::span<const iovec>(ranges).first(count));
  {
    std::lock_guard const hold(to.lock);
    to.trimmed += count;
  }
  give_cold(size_class, std::span<const std::uint32_t>(indices).first(count));
}

}  // namespace weft::inline v0::detail
