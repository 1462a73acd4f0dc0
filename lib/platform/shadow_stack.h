// A shadow stack is a second stack of return addresses, which the processor compares at each return: CET on x86-64, GCS
// on AArch64. The switches of weft leave it as it is, so a return on another stack would be taken for an attack.
#pragma once

namespace weft::inline v0::detail {

// Whether the calling thread has one. Threads that it starts have what it has.
// Returns: false where the kernel does not know them.
bool has_shadow_stack() noexcept;

}  // namespace weft::inline v0::detail
