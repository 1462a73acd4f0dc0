#include <weft/mc/execution_memory.h>

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <new>

namespace weft::mc {

char* const execution_memory::begin_ = reserve();

char* execution_memory::reserve() {
  void* const range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range != MAP_FAILED) return static_cast<char*>(range);
  std::perror("weft::mc: no address space for the memory of executions");
  std::abort();
}

void* execution_memory::take(std::size_t size, std::size_t alignment) {
  const std::size_t place = (used_ + alignment - 1) / alignment * alignment;
  if (size > bytes - place) throw std::bad_alloc();
  used_ = place + size;
  return begin_ + place;
}

void execution_memory::clear(void* pages, std::size_t size) noexcept { madvise(pages, size, MADV_DONTNEED); }

}  // namespace weft::mc
