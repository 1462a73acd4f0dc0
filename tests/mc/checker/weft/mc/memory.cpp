#include <weft/mc/memory.h>

#include <cstring>

namespace weft::mc {

namespace {

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}
bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

}  // namespace

void memory::reset() {
  index_.clear();
  locations_.clear();
  of_fences_.of.clear();
  of_accesses_.of.clear();
  changes_ = 0;
  changes_by_ = {};
  names_.clear();
}

std::size_t memory::find(word_ref word, int thread, thread_memory& mine, const std::source_location& site) {
  const auto [entry, is_new] = index_.try_emplace(word.address, locations_.size());
  if (!is_new) return entry->second;
  location& l = locations_.emplace_back();
  l.address = word.address;
  l.bytes = word.bytes;
  l.first_user = thread;
  l.first_site = &site;
  l.key = static_cast<std::uint64_t>(thread) << 32 | mine.locations++;
  std::memcpy(&l.stores.emplace_back().value, word.address, word.bytes);
  return entry->second;
}

void memory::forget(const void* address) { index_.erase(address); }

void memory::mark_freed(const void* begin, std::size_t bytes) {
  const auto* const first = static_cast<const char*>(begin);
  for (location& l : locations_) {
    const auto* const place = static_cast<const char*>(l.address);
    if (place >= first && place < first + bytes) l.is_freed = true;
  }
}

std::uint32_t memory::oldest_readable(std::size_t index, const thread_memory& mine, std::memory_order order) const {
  std::uint32_t oldest = mine.now.seen.at(index);
  if (order == std::memory_order_seq_cst) {
    oldest = std::max({oldest, of_fences_.at(index), of_accesses_.at(index)});
  }
  return oldest;
}

std::uint64_t memory::read(std::size_t index, std::uint32_t which, thread_memory& mine, std::memory_order order) {
  const stored& s = locations_[index].stores[which];
  mine.now.seen.raise(index, which);
  if (acquires(order)) {
    mine.now.join(s.carries);
  } else {
    mine.to_acquire.join(s.carries);
  }
  if (order == std::memory_order_seq_cst) of_accesses_.raise(index, which);
  return s.value;
}

void memory::write(std::size_t index, std::uint64_t value, int thread, thread_memory& mine, std::memory_order order,
                   bool replaces_newest) {
  location& l = locations_[index];
  const auto place = static_cast<std::uint32_t>(l.stores.size());
  if (l.stores.back().value != value) count_change(thread);
  stored s;
  s.value = value;
  s.by = thread;
  mine.now.seen.raise(index, place);
  s.carries = releases(order) ? mine.now : mine.released;
  if (replaces_newest) s.carries.join(l.stores.back().carries);
  l.stores.push_back(std::move(s));
  std::memcpy(l.address, &value, l.bytes);
  if (order == std::memory_order_seq_cst) of_accesses_.raise(index, place);
}

void memory::fence(thread_memory& mine, std::memory_order order) {
  if (acquires(order)) mine.now.join(mine.to_acquire);
  if (order == std::memory_order_seq_cst) {
    mine.now.seen.join(of_fences_);
    mine.now.seen.join(of_accesses_);
    of_fences_.join(mine.now.seen);
  }
  if (releases(order)) mine.released = mine.now;
}

void memory::catch_up(thread_memory& mine) {
  for (std::size_t i = 0; i < locations_.size(); ++i) {
    mine.now.seen.raise(i, static_cast<std::uint32_t>(locations_[i].stores.size() - 1));
  }
}

std::string memory::name_of(std::size_t index) const {
  const location& l = locations_[index];
  if (const auto after = names_.upper_bound(l.address); after != names_.begin()) {
    const auto& [begin, text] = *std::prev(after);
    const auto offset = static_cast<const char*>(l.address) - static_cast<const char*>(begin);
    if (offset == 0) return text;
    if (offset < 4096) return text + "+" + std::to_string(offset);
  }
  return "#" + std::to_string(index);
}

}  // namespace weft::mc
