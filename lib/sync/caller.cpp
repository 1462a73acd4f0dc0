#include "sync/caller.h"

#include <weft/detail/caller.h>

namespace weft::inline v0::detail {

std::uintptr_t who_calls() { return caller_identity(); }

}  // namespace weft::inline v0::detail
