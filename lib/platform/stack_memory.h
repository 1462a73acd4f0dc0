// Memory for stacks: address ranges that cost nothing until they are touched, and guards below each stack.
//
// Errors: 0 or a positive errno value; nothing here throws.
// Thread safety: every function may be called from any thread at once.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::inline v0::detail {

// What makes a guard fault.
//   madvise:  MADV_GUARD_INSTALL (Linux 6.13 or newer). The guard lives in the page tables, so any number of
//             them adds no mapping, and it survives release_pages().
//   mprotect: PROT_NONE, anywhere. Each guard splits its mapping, so it adds two mappings, and the process
//             stops at vm.max_map_count of them.
enum class guard_kind : std::uint8_t { madvise, mprotect };

// Returns: "madvise" or "mprotect".
const char* to_string(guard_kind kind) noexcept;

// Finds out by trying a guard on a page of scratch memory; it asks the kernel again at every call.
guard_kind best_guard_kind() noexcept;

// Reserves `bytes` (a multiple of page_size()) of zeroed private memory that takes no pages until it is touched and is
// never backed by huge pages: the guards would split them, and one touched stack would take 2 MiB.
// Returns: 0 and the range in `low`; else the errno value of mmap (ENOMEM: overcommit, RLIMIT_AS or the map
//   count; EAGAIN: locked memory), and nothing is reserved.
int reserve_memory(std::size_t bytes, std::byte*& low) noexcept;

// Unmaps what reserve_memory() gave. Nothing may touch it any more.
void release_memory(std::byte* low, std::size_t bytes) noexcept;

struct guard_result {
  std::size_t installed;  // Ranges that are guarded now: the first so many of those given.
  int error;              // 0, or the errno value of the first that failed.
};

// Turns each of `ranges` (whole pages inside reserved memory) into a guard: a touch is a SIGSEGV. With
// guard_kind::madvise one system call does up to 64 ranges where the kernel allows it.
guard_result install_guards(guard_kind kind, std::span<const iovec> ranges) noexcept;

// Gives the pages of [low, low + bytes) back to the kernel. They read as zero from then on, guards stay.
int release_pages(std::byte* low, std::size_t bytes) noexcept;

// The same for several ranges with one system call for up to 64 where the kernel allows it.
int release_pages(std::span<const iovec> ranges) noexcept;

// Returns: the lowest of the pages of [low, high) that has memory; `high` where none has, `low` where the system does not
// tell.
std::byte* first_touched_page(std::byte* low, std::byte* high) noexcept;

// Returns: the value of vm.max_map_count, or 0 where there is none to be read.
std::size_t max_map_count() noexcept;

// Returns: the size of a page in bytes.
std::size_t page_size() noexcept;

}  // namespace weft::inline v0::detail
