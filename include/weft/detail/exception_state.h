// What the C++ runtime keeps about exceptions, a thread.
#pragma once

#include <cstdint>

namespace weft::inline v0::detail {

// The layout of __cxa_eh_globals in libstdc++ and libc++abi. All zero: no exception anywhere, as at the start of a
// thread or a fiber.
struct exception_state {
  void* caught = nullptr;
  unsigned uncaught = 0;

  bool empty() const noexcept { return (reinterpret_cast<std::uintptr_t>(caught) | uncaught) == 0; }
};

}  // namespace weft::inline v0::detail
