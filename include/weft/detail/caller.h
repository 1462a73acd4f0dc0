// Who calls, for templates that look for a caller that would wait for itself.
#pragma once

#include <weft/detail/config.h>

#include <cstdint>

namespace weft::inline v0::detail {

// Of the calling fiber or plain thread; no other that is alive has it.
WEFT_API std::uintptr_t who_calls();

}  // namespace weft::inline v0::detail
