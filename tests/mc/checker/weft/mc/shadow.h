// Who touched plain memory last: data races on any byte of an execution's memory.
//
// Production code and scenarios are compiled with the instrumentation of ThreadSanitizer, and its calls end here (see
// instrumentation.cpp) instead of in its runtime: the checker's clocks know of stale loads and of orders that the
// machine below would give for nothing.
//
// For every eight bytes a cell keeps the accesses that a later one could race with: an access gives way to one that
// happens after it, touches as many bytes, and is as strong. A cell of an earlier execution is empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::mc {

struct shadow {
  static void start_anew() noexcept { ++generation_; }

  // Of plain memory, by the thread that runs. `place` is the code address of the access.
  static void on_read(const void* address, std::size_t bytes, const void* place);
  static void on_write(const void* address, std::size_t bytes, const void* place);
  // An atomic access must come after plain writes, those of construction; it leaves no trace, for it is only weighed
  // against other atomic accesses.
  static void on_atomic(const void* address, std::size_t bytes);
  // Counts as a write of all of it; whatever follows is a use after free.
  static void on_free(const void* address, std::size_t bytes, const void* place);

 private:
  static std::uint32_t generation_;
};

// Replaces "{code address}" by function, file and line.
std::string with_places(const std::string& text);

}  // namespace weft::mc
