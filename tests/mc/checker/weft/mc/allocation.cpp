#include <weft/mc/allocation.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>

namespace weft::mc {

namespace {

struct block {
  std::size_t bytes = 0;
  int thread = -1;
  std::uint32_t moment = 0;
  bool is_freed = false;
};

std::map<const char*, block>& blocks() {
  static std::map<const char*, block> all;
  return all;
}
bool is_tracking = false;

const std::pair<const char* const, block>* around(const void* address) {
  auto& all = blocks();
  if (all.empty()) return nullptr;
  const auto* const place = static_cast<const char*>(address);
  auto after = all.upper_bound(place);
  if (after == all.begin()) return nullptr;
  --after;
  return place < after->first + after->second.bytes ? &*after : nullptr;
}

void* take(std::size_t bytes, std::size_t alignment) {
  bytes = (bytes + alignment - 1) / alignment * alignment;
  void* const memory = alignment <= alignof(std::max_align_t) ? std::malloc(bytes != 0 ? bytes : 1)
                                                              : std::aligned_alloc(alignment, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  if (is_tracking && !engine_scope::is_open()) {
    const engine_scope in_engine;
    execution& e = *execution::current();
    block b;
    b.bytes = bytes;
    b.thread = e.self().id;
    b.moment = e.tick();
    blocks()[static_cast<const char*>(memory)] = b;
  }
  return memory;
}

void give(void* memory) noexcept {
  if (memory == nullptr) return;
  if (is_tracking) {
    const auto found = blocks().find(static_cast<const char*>(memory));
    if (found != blocks().end()) {
      const bool is_by_model = !engine_scope::is_open();
      const engine_scope in_engine;
      execution& e = *execution::current();
      if (found->second.is_freed) e.fail("freed twice");
      if (is_by_model) e.point(true);  // The checker's own containers are not to be found half changed.
      if (found->second.is_freed) e.fail("freed twice");
      found->second.is_freed = true;
      e.words.mark_freed(memory, found->second.bytes);
      std::memset(memory, 0xdd, found->second.bytes);
      e.note("frees " + std::to_string(found->second.bytes) + " bytes");
      return;
    }
  }
  std::free(memory);
}

}  // namespace

void allocation::begin() { is_tracking = true; }

void allocation::end() {
  is_tracking = false;
  const engine_scope in_engine;
  for (const auto& [place, b] : blocks()) std::free(const_cast<char*>(place));
  blocks().clear();
}

bool allocation::is_freed(const void* address) {
  const auto* const found = around(address);
  return found != nullptr && found->second.is_freed;
}

bool allocation::is_published(const void* address, const vector_clock& clock) {
  const auto* const found = around(address);
  return found == nullptr || clock.covers(static_cast<std::size_t>(found->second.thread), found->second.moment);
}

std::string allocation::leaks() {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const auto& [place, b] : blocks()) {
    if (b.is_freed) continue;
    ++count;
    bytes += b.bytes;
  }
  if (count == 0) return {};
  return "leak: " + std::to_string(count) + " blocks, " + std::to_string(bytes) + " bytes";
}

kept_allocations::kept_allocations() noexcept { engine_scope::set_depth(engine_scope::depth() + 1); }
kept_allocations::~kept_allocations() { engine_scope::set_depth(engine_scope::depth() - 1); }

}  // namespace weft::mc

void* operator new(std::size_t bytes) { return weft::mc::take(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return weft::mc::take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { weft::mc::give(memory); }
void operator delete(void* memory, std::size_t) noexcept { weft::mc::give(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { weft::mc::give(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { weft::mc::give(memory); }
