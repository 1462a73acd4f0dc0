#include "faults/failing_new.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace weft_test {
namespace {

thread_local std::uint64_t wanted = 0;
thread_local std::uint64_t seen = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  if (wanted != 0 && ++seen == wanted) throw std::bad_alloc();
  void* const memory = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                           ? std::malloc(size)
                           : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr && size != 0) throw std::bad_alloc();
  return memory;
}

// Sanitizers replace the forms that do not throw, too, and would see one hand allocate and the other free.
void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
  try {
    return allocate(size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

void failing_new::fail_at(std::uint64_t n) noexcept {
  seen = 0;
  wanted = n;
}

failing_new::pause::pause() noexcept : wanted_(std::exchange(wanted, 0)) {}

failing_new::pause::~pause() { wanted = wanted_; }

std::uint64_t failing_new::stop() noexcept {
  wanted = 0;
  return seen;
}

}  // namespace weft_test

void* operator new(std::size_t size) { return weft_test::allocate(size, 1); }
void* operator new[](std::size_t size) { return weft_test::allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return weft_test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return weft_test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return weft_test::allocate_or_null(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return weft_test::allocate_or_null(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return weft_test::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return weft_test::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
