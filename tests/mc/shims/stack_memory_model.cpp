// Memory for stacks of fibers: of the execution, like its heap. Guards would cost system calls, and models do not
// overflow.
#include "platform/stack_memory.h"

#include <weft/mc/engine_scope.h>
#include <weft/mc/execution_memory.h>

#include <cerrno>
#include <cstring>

namespace weft::inline v0::detail {

namespace {
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t most_bytes = std::size_t{8} << 20;  // Arenas then ask for less.
}  // namespace

const char* to_string(guard_kind) noexcept { return "none"; }
guard_kind best_guard_kind() noexcept { return guard_kind::madvise; }

int reserve_memory(std::size_t bytes, std::byte*& low) noexcept {
  if (bytes > most_bytes) return ENOMEM;
  low = static_cast<std::byte*>(mc::execution_memory::take(bytes, page_bytes));
  mc::execution_memory::clear(low, bytes);
  return 0;
}

void release_memory(std::byte*, std::size_t) noexcept {}
guard_result install_guards(guard_kind, std::span<const iovec> ranges) noexcept { return {ranges.size(), 0}; }
int release_pages(std::byte* low, std::size_t bytes) noexcept {
  std::memset(low, 0, bytes);
  return 0;
}
int release_pages(std::span<const iovec> ranges) noexcept {
  for (const iovec& r : ranges) std::memset(r.iov_base, 0, r.iov_len);
  return 0;
}
std::byte* first_touched_page(std::byte* low, std::byte*) noexcept { return low; }
std::size_t max_map_count() noexcept { return 0; }
std::size_t page_size() noexcept { return page_bytes; }

}  // namespace weft::inline v0::detail
