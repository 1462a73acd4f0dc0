#include "platform/stack_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

namespace {

#ifdef WEFT_VALGRIND
constexpr std::size_t vector_ranges = 1;  // valgrind knows no process_madvise, and says so at every call.
#else
constexpr std::size_t vector_ranges = 64;  // A call: long enough to win, short enough not to hold up faults.
#endif
constexpr int read_write = PROT_READ | PROT_WRITE;

#ifdef __linux__
constexpr int guard_install = 102;    // MADV_GUARD_INSTALL, newer than the headers of many a system.
constexpr int this_process = -10000;  // PIDFD_SELF: no descriptor to cache, and right in a forked child.

// One system call for all `ranges`, then one for each that it did not reach. Kernels before 6.13 refuse the
// first, those before 6.14 do not know PIDFD_SELF, and filters may forbid it: a refusal costs about 0.2 us a
// batch, so it is not remembered.
guard_result advise(std::span<const iovec> ranges, int advice) noexcept {
  std::size_t done = 0;
  while (done < ranges.size()) {
    auto const part = ranges.subspan(done, std::min(vector_ranges, ranges.size() - done));
    std::size_t end = done + part.size();
    ssize_t bytes = part.size() == 1 ? 0 : sys().process_madvise(this_process, part.data(), part.size(), advice, 0);
    while (done < end && bytes >= static_cast<ssize_t>(ranges[done].iov_len)) {
      bytes -= static_cast<ssize_t>(ranges[done].iov_len);
      ++done;
    }
    for (; done < end; ++done) {
      int const result = sys().madvise(ranges[done].iov_base, ranges[done].iov_len, advice);
      if (result < 0) return {done, -result};
    }
  }
  return {done, 0};
}
#endif

}  // namespace

const char* to_string(guard_kind kind) noexcept { return kind == guard_kind::madvise ? "madvise" : "mprotect"; }

guard_kind best_guard_kind() noexcept {
#ifdef __linux__
  std::byte* page = nullptr;
  if (reserve_memory(page_size(), page) != 0) return guard_kind::mprotect;
  int const result = sys().madvise(page, page_size(), guard_install);
  release_memory(page, page_size());
  return result == 0 ? guard_kind::madvise : guard_kind::mprotect;
#else
  return guard_kind::mprotect;
#endif
}

int reserve_memory(std::size_t bytes, std::byte*& low) noexcept {
  std::intptr_t const result =
      sys().mmap(nullptr, bytes, read_write, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (result < 0 && result > -4096) return static_cast<int>(-result);
  low = reinterpret_cast<std::byte*>(result);
#ifdef __linux__
  // Refused where the kernel has no huge pages, which is as good.
  sys().madvise(low, bytes, MADV_NOHUGEPAGE);
#endif
  return 0;
}

void release_memory(std::byte* low, std::size_t bytes) noexcept { sys().munmap(low, bytes); }

guard_result install_guards(guard_kind kind, std::span<const iovec> ranges) noexcept {
#ifdef __linux__
  if (kind == guard_kind::madvise) return advise(ranges, guard_install);
#else
  static_cast<void>(kind);
#endif
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    int const result = sys().mprotect(ranges[i].iov_base, ranges[i].iov_len, PROT_NONE);
    if (result < 0) return {i, -result};
  }
  return {ranges.size(), 0};
}

int release_pages(std::byte* low, std::size_t bytes) noexcept {
  iovec const range{low, bytes};
  return release_pages(std::span(&range, 1));
}

int release_pages(std::span<const iovec> ranges) noexcept {
#ifdef __linux__
  return advise(ranges, MADV_DONTNEED).error;
#else
  // Elsewhere MADV_DONTNEED need not zero the pages; fresh mappings in their place do.
  for (iovec const& range : ranges) {
    std::intptr_t const result = sys().mmap(range.iov_base, range.iov_len, read_write,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (result < 0 && result > -4096) return static_cast<int>(-result);
  }
  return 0;
#endif
}

std::byte* first_touched_page(std::byte* low, std::byte* high) noexcept {
#ifdef __linux__
  constexpr std::size_t at_once = 256;
  unsigned char pages[at_once];
  while (low < high) {
    std::size_t const bytes = std::min(static_cast<std::size_t>(high - low), at_once * page_size());
    if (sys().mincore(low, bytes, pages) != 0) return low;
    std::size_t const count = (bytes + page_size() - 1) / page_size();
    auto const* const found = std::find_if(pages, pages + count, [](unsigned char page) { return (page & 1) != 0; });
    if (found != pages + count) return low + static_cast<std::size_t>(found - pages) * page_size();
    low += count * page_size();
  }
  return high;
#else
  static_cast<void>(high);
  return low;
#endif
}

std::size_t max_map_count() noexcept {
  int const fd = sys().open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  char text[32];
  ssize_t const size = sys().read(fd, text, sizeof text);
  sys().close(fd);
  std::size_t count = 0;
  if (size > 0) std::from_chars(text, text + size, count);
  return count;
}

std::size_t page_size() noexcept {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace weft::inline v0::detail
