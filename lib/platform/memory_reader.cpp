#include "platform/memory_reader.h"

#include <weft/detail/config.h>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

bool read_memory(const void* from, void* to, std::size_t bytes) noexcept {
#ifdef __linux__
  const iovec local{to, bytes};
  const iovec remote{const_cast<void*>(from), bytes};
  return sys().process_vm_readv(sys().getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
#else
  static_cast<void>(from);
  static_cast<void>(to);
  static_cast<void>(bytes);
  return false;
#endif
}

// Byte by byte through volatile, so that it becomes no call of memcpy, which sanitizers look into.
WEFT_NOINLINE __attribute__((no_sanitize("address", "thread"))) void copy_memory(const void* from, void* to,
                                                                                 std::size_t bytes) noexcept {
  if (read_memory(from, to, bytes)) return;
  const auto* const in = static_cast<const volatile unsigned char*>(from);
  auto* const out = static_cast<volatile unsigned char*>(to);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = in[i];
}

}  // namespace weft::inline v0::detail
