// What the compiler's -fsanitize=thread calls. The checker stands in for the sanitizer's runtime, which is not linked.
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution_memory.h>
#include <weft/mc/operations.h>
#include <weft/mc/shadow.h>

#include <cstdint>

namespace mc = weft::mc;
using mc::shadow;

namespace {

bool is_of_model(const volatile void* word) {
  return mc::execution_memory::holds(const_cast<const void*>(word)) && !mc::engine_scope::is_open();
}

mc::word_ref word_of(const volatile void* word, std::size_t bytes) {
  return {const_cast<void*>(const_cast<const void*>(word)), bytes};
}

// Atomics of the standard library: reference counts of std::shared_ptr, guards of local statics.
template <class T>
T load(const volatile T* word, int order) {
  if (!is_of_model(word)) return __atomic_load_n(word, __ATOMIC_SEQ_CST);
  return static_cast<T>(
      mc::load(word_of(word, sizeof(T)), static_cast<std::memory_order>(order), std::source_location::current()));
}

}  // namespace

#define WEFT_MC_ACCESSES(bytes)                                                                          \
  void __tsan_read##bytes(void* p) { shadow::on_read(p, bytes, __builtin_return_address(0)); }           \
  void __tsan_write##bytes(void* p) { shadow::on_write(p, bytes, __builtin_return_address(0)); }         \
  void __tsan_unaligned_read##bytes(void* p) { shadow::on_read(p, bytes, __builtin_return_address(0)); } \
  void __tsan_unaligned_write##bytes(void* p) { shadow::on_write(p, bytes, __builtin_return_address(0)); }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void*) {}

WEFT_MC_ACCESSES(1)
WEFT_MC_ACCESSES(2)
WEFT_MC_ACCESSES(4)
WEFT_MC_ACCESSES(8)
WEFT_MC_ACCESSES(16)

void __tsan_read_range(void* p, std::size_t bytes) { shadow::on_read(p, bytes, __builtin_return_address(0)); }
void __tsan_write_range(void* p, std::size_t bytes) { shadow::on_write(p, bytes, __builtin_return_address(0)); }

void __tsan_vptr_read(void** p) { shadow::on_read(p, sizeof *p, __builtin_return_address(0)); }
void __tsan_vptr_update(void** p, void* to) {
  if (*p != to) shadow::on_write(p, sizeof *p, __builtin_return_address(0));
}

std::uint8_t __tsan_atomic8_load(const volatile std::uint8_t* word, int order) { return load(word, order); }
std::uint64_t __tsan_atomic64_load(const volatile std::uint64_t* word, int order) { return load(word, order); }
std::uint32_t __tsan_atomic32_fetch_add(volatile std::uint32_t* word, std::uint32_t by, int order) {
  if (!is_of_model(word)) return __atomic_fetch_add(word, by, __ATOMIC_SEQ_CST);
  return static_cast<std::uint32_t>(mc::modify(word_of(word, sizeof *word), mc::modification::add, by,
                                               static_cast<std::memory_order>(order), std::source_location::current()));
}

}  // extern "C"
