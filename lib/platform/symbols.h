// What code lies at an address.
#pragma once

#include "base/fixed_text.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::inline v0::detail {

struct symbol {
  char function[256] = "";    // As the linker spells it, cut; empty when unknown.
  char module[128] = "";      // The file, without its folders, likewise.
  std::uintptr_t offset = 0;  // From the start of the function; without one, the module's own address of the code.
};

// Looks addresses up, each call in the file that is mapped there. It takes no lock and allocates nothing, so a signal
// handler may use it. Where the system offers no such way, only the dynamic symbols are known.
//
// Thread safety: one thread at a time.
class symbol_reader {
 public:
  symbol_reader() noexcept = default;
  ~symbol_reader();
  symbol_reader(const symbol_reader&) = delete;
  symbol_reader& operator=(const symbol_reader&) = delete;

  // `code` may be a return address: then the call before it is meant, and `is_return` says so.
  void find(const void* code, bool is_return, symbol& out) noexcept;

 private:
  bool map_file(const char* path) noexcept;
  void unmap() noexcept;

  char path_[512] = "";  // Of the file that is mapped now.
  const std::byte* file_ = nullptr;
  std::size_t size_ = 0;
};

// A line of a backtrace, without its end: address, function, place in the file. Async-signal-safe: of C++ names only
// plain ones are turned into what people write.
void write_frame(fixed_text& to, const void* code, const symbol& s) noexcept;

// The same with every C++ name as people write it. Throws: std::bad_alloc.
std::string frame_text(const void* code, const symbol& s);

}  // namespace weft::inline v0::detail
