// For systems whose files weft does not read: what the dynamic linker knows.
#include "platform/symbols.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstring>

namespace weft::inline v0::detail {

symbol_reader::~symbol_reader() = default;

void symbol_reader::find(const void* code, bool is_return, symbol& out) noexcept {
  out = {};
  Dl_info info{};
  const char* const address = static_cast<const char*>(code) - (is_return ? 1 : 0);
  if (dladdr(address, &info) == 0) return;
  const char* const slash = info.dli_fname != nullptr ? std::strrchr(info.dli_fname, '/') : nullptr;
  std::snprintf(out.module, sizeof out.module, "%s", slash != nullptr ? slash + 1 : "");
  if (info.dli_sname != nullptr) std::snprintf(out.function, sizeof out.function, "%s", info.dli_sname);
  const void* const base = info.dli_sname != nullptr ? info.dli_saddr : info.dli_fbase;
  out.offset = static_cast<std::uintptr_t>(static_cast<const char*>(code) - static_cast<const char*>(base));
}

}  // namespace weft::inline v0::detail
