#include "scheduler/stack_marks.h"

#include "platform/memory_reader.h"
#include "platform/stack_memory.h"

#include <algorithm>
#include <array>
#include <new>

namespace weft::inline v0::detail {

namespace {

constexpr std::size_t piece = 256;    // On the stack that is measured, too.
constexpr std::size_t in_use = 1024;  // Of the frames below which a stack is cleared.

std::uintptr_t page_of(std::uintptr_t address) noexcept { return address & ~(page_size() - 1); }

// No call, and no instrumentation: what is written is nobody's frame.
WEFT_NOINLINE __attribute__((no_sanitize("address", "thread"))) void clear(std::uintptr_t from,
                                                                           std::uintptr_t to) noexcept {
  for (auto* each = reinterpret_cast<volatile std::uint64_t*>(from); reinterpret_cast<std::uintptr_t>(each) < to;
       ++each)
    *each = 0;
}

}  // namespace

std::size_t stack_depth(const activation& a) noexcept {
  const std::byte* const end = a.top;
  auto* const last = reinterpret_cast<std::byte*>(page_of(reinterpret_cast<std::uintptr_t>(end) - 1));
  const std::byte* at = first_touched_page(a.low, last);
  std::array<std::byte, piece> bytes;
  while (at < end) {
    const auto count = std::min<std::size_t>(piece, static_cast<std::size_t>(end - at));
    copy_memory(at, bytes.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      if (bytes[i] != std::byte{0}) return static_cast<std::size_t>(end - at) - i;
    }
    at += count;
  }
  return 0;
}

void clear_below(const activation& a) noexcept {
  const std::uintptr_t end =
      (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - in_use) & ~std::uintptr_t{7};
  const auto low = reinterpret_cast<std::uintptr_t>(a.low);
  if (end <= low) return;
  const std::uintptr_t page = page_of(end);
  std::byte* const first = first_touched_page(a.low, reinterpret_cast<std::byte*>(page));
  const auto bytes = page - reinterpret_cast<std::uintptr_t>(first);
  std::uintptr_t kept = page;
  if (bytes != 0 && release_pages(first, bytes) != 0) kept = reinterpret_cast<std::uintptr_t>(first);
  clear(kept, end);
}

void stack_marks::add(table& to, const source_location& site, std::size_t depth, std::size_t size) {
  const auto line = static_cast<std::uint32_t>(site.line());
  stack_mark& mark = to[{site.file_name(), line}];
  if (mark.fibers++ == 0) {
    mark.file = site.file_name();
    mark.line = line;
  }
  if (depth <= mark.deepest_bytes) return;
  mark.deepest_bytes = depth;
  mark.size_bytes = size;
}

void stack_marks::note_end(const activation& a, const fiber_record& f) noexcept {
  const std::size_t depth = stack_depth(a);
  try {
    const std::scoped_lock hold(lock_);
    add(marks_, f.site.load(), depth, a.usable_bytes());
  } catch (const std::bad_alloc&) {
    return;  // A mark less.
  }
}

stack_marks::table stack_marks::seen() const {
  const std::scoped_lock hold(lock_);
  return marks_;
}

std::vector<stack_mark> sorted_marks(const stack_marks::table& marks) {
  std::vector<stack_mark> sorted;
  for (const auto& each : marks) sorted.push_back(each.second);
  std::sort(sorted.begin(), sorted.end(),
            [](const stack_mark& a, const stack_mark& b) { return a.deepest_bytes > b.deepest_bytes; });
  return sorted;
}

}  // namespace weft::inline v0::detail
