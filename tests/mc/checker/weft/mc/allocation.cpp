#include <weft/mc/allocation.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>
#include <weft/mc/execution_memory.h>
#include <weft/mc/shadow.h>

#include <algorithm>
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

constexpr std::size_t most_watched = 4096;  // Of a block, once it is freed.

const std::pair<const char* const, block>* around(const void* address) {
  auto& all = blocks();
  if (all.empty() || !execution_memory::holds(address)) return nullptr;
  const auto* const place = static_cast<const char*>(address);
  auto after = all.upper_bound(place);
  if (after == all.begin()) return nullptr;
  --after;
  return place < after->first + after->second.bytes ? &*after : nullptr;
}

void* take(std::size_t bytes, std::size_t alignment) {
  if (bytes == 0) bytes = 1;
  if (is_tracking && !engine_scope::is_open()) {
    const engine_scope in_engine;
    execution& e = *execution::current();
    void* const memory = execution_memory::take(bytes, std::max(alignment, alignof(std::max_align_t)));
    blocks()[static_cast<const char*>(memory)] = {bytes, e.self().id, e.tick(), false};
    return memory;
  }
  void* const memory = alignment <= alignof(std::max_align_t)
                           ? std::malloc(bytes)
                           : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void give(void* memory, const void* place) noexcept {
  if (!execution_memory::holds(memory)) return std::free(memory);
  if (!is_tracking) return;  // Of an execution that has ended.
  const bool is_by_model = !engine_scope::is_open();
  block* b = nullptr;
  {
    const engine_scope in_engine;
    execution& e = *execution::current();
    const auto found = blocks().find(static_cast<const char*>(memory));
    if (found == blocks().end()) e.fail("freed, and never allocated");
    b = &found->second;
    if (b->is_freed) e.fail("freed twice");
    if (is_by_model) e.point(true);  // The checker's own containers are not to be found half changed.
    if (b->is_freed) e.fail("freed twice");
    b->is_freed = true;
    e.words.mark_freed(memory, b->bytes);
    e.note("frees " + std::to_string(b->bytes) + " bytes");
  }
  shadow::on_free(memory, std::min(b->bytes, most_watched), place);
  std::memset(memory, 0xdd, b->bytes);
}

}  // namespace

void allocation::begin() {
  execution_memory::start_anew();
  shadow::start_anew();
  is_tracking = true;
}

void allocation::end() {
  is_tracking = false;
  const engine_scope in_engine;
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
void operator delete(void* memory) noexcept { weft::mc::give(memory, __builtin_return_address(0)); }
void operator delete(void* memory, std::size_t) noexcept { weft::mc::give(memory, __builtin_return_address(0)); }
void operator delete(void* memory, std::align_val_t) noexcept { weft::mc::give(memory, __builtin_return_address(0)); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  weft::mc::give(memory, __builtin_return_address(0));
}
