#include "reactor/slot_table.h"

#include <mutex>
#include <new>

namespace weft::inline v0::detail {

bool slot_table::grow() noexcept {
  if (chunk_count_ == most_chunks) return false;
  try {
    owned_.push_back(std::make_unique<slot[]>(chunk_slots));
  } catch (const std::bad_alloc&) {
    return false;
  }
  slot* const chunk = owned_.back().get();
  for (std::uint32_t i = chunk_slots; i-- > 0;) {
    chunk[i].index = chunk_count_ * chunk_slots + i;
    chunk[i].next_free = free_;
    free_ = &chunk[i];
  }
  chunks_[chunk_count_++].store(chunk, release);  // Pairs with at().
  return true;
}

slot* slot_table::take() noexcept {
  const std::scoped_lock hold(lock_);
  if (free_ == nullptr && !grow()) return nullptr;
  slot* const s = free_;
  free_ = s->next_free;
  open_.store(open_.load(relaxed) + 1, relaxed);
  return s;
}

void slot_table::give(slot& s) noexcept {
  bool is_last = false;
  {
    const std::scoped_lock hold(lock_);
    s.next_free = free_;
    free_ = &s;
    open_.store(open_.load(relaxed) - 1, relaxed);
    is_last = abandoned_ && open_.load(relaxed) == 0;
  }
  if (is_last) delete this;
}

void slot_table::abandon() noexcept {
  bool is_empty = false;
  {
    const std::scoped_lock hold(lock_);
    abandoned_ = true;
    for (const auto& chunk : owned_) {
      for (std::uint32_t i = 0; i < chunk_slots; ++i) chunk[i].registered.store(nullptr, release);
    }
    is_empty = open_.load(relaxed) == 0;
  }
  if (is_empty) delete this;
}

}  // namespace weft::inline v0::detail
