// What an arena set tells about itself: its figures, and why it refused.
#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>

#include "context/stack_arena.h"
#include "context/stack_pool.h"

namespace weft::inline v0::detail {

void stack_arena_set::enlist(stack_pool* pool) noexcept {
  std::lock_guard const hold(pools_lock_);
  pool->next_pool_ = pools_;
  if (pools_ != nullptr) pools_->previous_pool_ = pool;
  pools_ = pool;
}

void stack_arena_set::delist(stack_pool* pool) noexcept {
  std::lock_guard const hold(pools_lock_);
  (pool->previous_pool_ != nullptr ? pool->previous_pool_->next_pool_ : pools_) = pool->next_pool_;
  if (pool->next_pool_ != nullptr) pool->next_pool_->previous_pool_ = pool->previous_pool_;
}

stack_statistics stack_arena_set::statistics(std::uint8_t size_class) const noexcept {
  arena& of = arenas_[size_class];
  stack_statistics sum;
  {
    std::lock_guard const hold(pools_lock_);
    for (stack_pool const* each = pools_; each != nullptr; each = each->next_pool_) {
      sum.cached += each->cached(size_class);
    }
  }
  sum.depot = of.depot_stacks.load(relaxed);  // A figure, as old as the others.
  std::lock_guard const hold(of.lock);
  sum.in_use = of.issued - std::min(of.issued, sum.cached + sum.depot);
  sum.guards = of.guarded;
  sum.trimmed = of.trimmed;
  sum.reserved_bytes = of.reserved_bytes;
  return sum;
}

stack_statistics stack_arena_set::statistics() const noexcept {
  stack_statistics sum;
  for (std::uint8_t c = 0; c < stack_class_count; ++c) {
    stack_statistics const each = statistics(c);
    sum.in_use += each.in_use;
    sum.cached += each.cached;
    sum.depot += each.depot;
    sum.guards += each.guards;
    sum.trimmed += each.trimmed;
    sum.reserved_bytes += each.reserved_bytes;
  }
  return sum;
}

// One word, so that why, errno and class belong together.
void stack_arena_set::refuse(refusal why, int error, std::size_t size_class) noexcept {
  last_refusal_.store(
      static_cast<std::uint64_t>(why) << 48 | std::uint64_t{size_class} << 32 | static_cast<std::uint32_t>(error),
      relaxed);  // Read for a text only.
}

int stack_arena_set::last_error_number() const noexcept {
  return static_cast<int>(static_cast<std::uint32_t>(last_refusal_.load(relaxed)));
}

std::string stack_arena_set::last_error() const {
  std::uint64_t const packed = last_refusal_.load(relaxed);
  std::size_t const bytes = stack_class_bytes[packed >> 32 & 0xffff];
  int const error = static_cast<int>(static_cast<std::uint32_t>(packed));
  std::string const reason = std::generic_category().message(error);
  std::string const maps = "vm.max_map_count = " + std::to_string(max_map_count());
  std::string text = "no stack of " + std::to_string(bytes >> 10) + " KiB: ";
  switch (static_cast<refusal>(packed >> 48)) {
    case refusal::none:
      return {};
    case refusal::max_stacks:
      return text + "max_stacks = " + std::to_string(max_stacks_) + " are in use or pooled";
    case refusal::reserve:
      text += "mmap of address space failed (" + reason + "); look at ";
      if (error == EAGAIN) return text + "RLIMIT_MEMLOCK and mlockall";
      return text + "RLIMIT_AS, vm.overcommit_memory (2 counts what is only reserved) and " + maps;
    case refusal::guard:
      text += std::string(to_string(guards_)) + " of its guard failed (" + reason + ")";
      if (guards_ == guard_kind::mprotect) return text + "; each guard takes two mappings of " + maps;
      if (error == EINVAL) return text + "; memory locked by mlockall cannot carry such guards";
      return text + "; the kernel has no memory for page tables";
    case refusal::guard_limit:
      return text + std::to_string((max_maps_ - max_maps_ / 16) / 2) +
             " mprotect guards exist in this process, two mappings each, and " + maps +
             " leaves no room for more; raise it, or use Linux 6.13 or newer, where guards take no mapping";
    case refusal::index_space:
      return text + "all " + std::to_string(max_chunks) + " chunks of address space are in use";
  }
  return text;
}

}  // namespace weft::inline v0::detail
