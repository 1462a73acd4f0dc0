// The end of a program that broke a rule after which nothing can be trusted.
#pragma once

namespace weft::inline v0::detail {

// Writes `what` and the calling fiber's name and id to the standard error stream, and aborts.
[[noreturn]] void end_for_misuse(const char* what) noexcept;

}  // namespace weft::inline v0::detail
