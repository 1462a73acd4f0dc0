// Reading memory that may not be there, or may change meanwhile.
#pragma once

#include <cstddef>

namespace weft::inline v0::detail {

// Copies `bytes` bytes as the kernel sees them. What changes meanwhile is copied half old, half new.
// Returns: whether all of it could be read; false too where the system offers no such way, or forbids it.
bool read_memory(const void* from, void* to, std::size_t bytes) noexcept;

// The same for memory that is known to be mapped: it is copied where the kernel does not help.
void copy_memory(const void* from, void* to, std::size_t bytes) noexcept;

}  // namespace weft::inline v0::detail
