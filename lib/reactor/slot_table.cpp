#include "reactor/slot_table.h"

#include "reactor/reactor.h"

#include <mutex>
#include <new>

namespace weft::inline v0::detail {

namespace {

// Once: a close() may have done it before the last user leaves, who comes here, too.
void take_out(slot& s) noexcept {
  reactor* const r = s.registered.load(relaxed);
  if (r == nullptr) return;
  s.registered.store(nullptr, relaxed);
  r->remove(s);
}

}  // namespace

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
  const std::scoped_lock hold(lock_);
  s.next_free = free_;
  free_ = &s;
  open_.store(open_.load(relaxed) - 1, relaxed);
}

void slot_table::abandon() noexcept {
  {
    const std::scoped_lock hold(lock_);
    owner_.store(nullptr, relaxed);
    for (const auto& chunk : owned_) {
      for (std::uint32_t i = 0; i < chunk_slots; ++i) chunk[i].registered.store(nullptr, relaxed);
    }
  }
  let_go();
}

void slot_table::deregister(slot& s, bool by_own_worker) noexcept {
  if (by_own_worker) {  // Its runtime cannot end meanwhile.
    take_out(s);
    return;
  }
  const std::scoped_lock hold(lock_);
  take_out(s);
}

}  // namespace weft::inline v0::detail
