#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>
#include <weft/mc/execution_memory.h>
#include <weft/mc/shadow.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

extern "C" const char __executable_start;

namespace weft::mc {

std::uint32_t shadow::generation_ = 1;

namespace {

struct access {
  std::uint32_t moment;
  std::uint32_t place;  // Of the code, from the start of the program.
  std::uint8_t mask;    // Bytes; 0: none.
  std::uint8_t thread : 6;
  std::uint8_t is_write : 1;
  std::uint8_t is_free : 1;
};

constexpr std::size_t most_accesses = 5;

struct alignas(64) cell {
  std::uint32_t generation;
  access accesses[most_accesses];  // The newest first, then those without bytes.
};

cell* reserve_cells() {
  void* const range = mmap(nullptr, execution_memory::bytes / 8 * sizeof(cell), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range != MAP_FAILED) return static_cast<cell*>(range);
  std::perror("weft::mc: no address space for the shadow of executions");
  std::abort();
}

cell* const cells = reserve_cells();

std::size_t offset_of(const void* address) {
  return static_cast<std::size_t>(static_cast<const char*>(address) - execution_memory::begin());
}

std::uint32_t place_of(const void* code) {
  return static_cast<std::uint32_t>(static_cast<const char*>(code) - &__executable_start);
}

std::string text_of(const access& a) {
  char text[64];
  std::snprintf(text, sizeof text, "%s of thread %d at {0x%x}",
                a.is_free    ? "free"
                : a.is_write ? "write"
                             : "read",
                static_cast<int>(a.thread), a.place);
  return text;
}

[[noreturn]] void report(const access& before, const access& now) {
  const engine_scope in_engine;
  execution& e = *execution::current();
  const bool is_ordered = e.self().memory.now.clock.covers(before.thread, before.moment);
  e.fail(std::string(before.is_free && is_ordered ? "use after free" : "data race") + ": a " + text_of(now) +
         ", after a " + text_of(before));
}

bool is_weaker(const access& a, const access& than) {
  return (a.mask & ~than.mask) == 0 && a.is_write <= than.is_write && !a.is_free;
}

// Compares with what the cell knows; the new access takes the place of those that it makes superfluous.
void enter(cell& c, const access& now, const vector_clock& clock) {
  std::size_t kept = 0;
  access before[most_accesses];
  for (const access& a : c.accesses) {
    if (a.mask == 0) break;
    const bool is_ordered = a.thread == now.thread || clock.covers(a.thread, a.moment);
    if ((a.mask & now.mask) != 0 && (a.is_free || (!is_ordered && (a.is_write || now.is_write)))) report(a, now);
    if (!is_ordered || !is_weaker(a, now)) before[kept++] = a;
  }
  c.accesses[0] = now;
  kept = std::min(kept, most_accesses - 1);
  for (std::size_t i = 0; i < kept; ++i) c.accesses[i + 1] = before[i];
  if (kept + 1 < most_accesses) c.accesses[kept + 1].mask = 0;
}

void touch(std::size_t granule, std::uint8_t mask, bool is_write, bool is_free, std::uint32_t generation,
           const void* place) {
  cell& c = cells[granule];
  model_thread& self = execution::current()->self();
  const vector_clock& clock = self.memory.now.clock;
  const auto id = static_cast<std::size_t>(self.id);
  // The next operation that others can learn of ticks first.
  const access now{clock.of[id] + 1, place_of(place), mask, static_cast<std::uint8_t>(id), is_write, is_free};
  if (c.generation != generation) {
    c.generation = generation;
    c.accesses[0] = now;
    c.accesses[1].mask = 0;
    return;
  }
  access& last = c.accesses[0];
  if (last.thread == now.thread && last.moment == now.moment && last.mask == mask && last.is_write >= is_write &&
      !is_free && !last.is_free) {
    return;  // Again, with nothing in between.
  }
  enter(c, now, clock);
}

void touch_range(const void* address, std::size_t bytes, bool is_write, bool is_free, std::uint32_t generation,
                 const void* place) {
  if (!execution_memory::holds(address) || engine_scope::is_open()) return;
  std::size_t at = offset_of(address);
  const std::size_t end = at + bytes;
  while (at < end) {
    const std::size_t first = at % 8;
    const std::size_t count = std::min(8 - first, end - at);
    touch(at / 8, static_cast<std::uint8_t>(((1U << count) - 1) << first), is_write, is_free, generation, place);
    at += count;
  }
}

}  // namespace

void shadow::on_read(const void* address, std::size_t bytes, const void* place) {
  touch_range(address, bytes, false, false, generation_, place);
}

void shadow::on_write(const void* address, std::size_t bytes, const void* place) {
  touch_range(address, bytes, true, false, generation_, place);
}

void shadow::on_free(const void* address, std::size_t bytes, const void* place) {
  touch_range(address, bytes, true, true, generation_, place);
}

void shadow::on_atomic(const void* address, std::size_t bytes) {
  if (!execution_memory::holds(address)) return;
  const std::size_t at = offset_of(address);
  const cell& c = cells[at / 8];
  if (c.generation != generation_) return;
  const model_thread& self = execution::current()->self();
  const auto mask = static_cast<std::uint8_t>(((1U << bytes) - 1) << at % 8);
  for (const access& a : c.accesses) {
    if (a.mask == 0) break;
    if (a.thread == self.id || !a.is_write || (a.mask & mask) == 0) continue;
    if (!self.memory.now.clock.covers(a.thread, a.moment)) {
      execution::current()->fail("data race: an atomic access of thread " + std::to_string(self.id) + ", after a " +
                                 text_of(a));
    }
  }
}

std::string with_places(const std::string& text) {
  std::string out;
  std::size_t from = 0;
  for (;;) {
    const std::size_t open = text.find("{0x", from);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return out + text.substr(from);
    out += text.substr(from, open - from);
    // One less: the address is where the call of the access returns to.
    const unsigned long place = std::strtoul(text.c_str() + open + 1, nullptr, 16) - 1;
    char command[160];
    std::snprintf(command, sizeof command, "addr2line -Cfspie /proc/%d/exe 0x%lx 2>/dev/null",
                  static_cast<int>(getpid()), place);
    char line[512];
    std::FILE* const answer = popen(command, "r");
    while (answer != nullptr && std::fgets(line, sizeof line, answer) != nullptr) out += line;
    if (answer != nullptr) pclose(answer);
    if (!out.empty() && out.back() == '\n') out.pop_back();
    from = close + 1;
  }
}

}  // namespace weft::mc
