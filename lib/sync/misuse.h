// The answers to a broken rule: an error that names it, or the end where nothing can be trusted afterwards.
#pragma once

#include <string>
#include <system_error>

namespace weft::inline v0::detail {

// Writes `what` and the calling fiber's name and id to the standard error stream, and aborts.
[[noreturn]] void end_for_misuse(const char* what) noexcept;

// Throws std::system_error.
[[noreturn]] void refuse(std::errc why, const std::string& what);

}  // namespace weft::inline v0::detail
