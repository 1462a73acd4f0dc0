// From the plain numbers that lib/ passes on to what users see.
#pragma once

#include <weft/io_error.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace weft::inline v0::detail {

// Stands beside the errno values where a stream ended too early; larger than any of them.
inline constexpr int early_end = 1 << 20;

// `error` is 0, an errno value or early_end.
std::error_code to_error_code(int error) noexcept;

// Where a failed call was at work. `subject` comes after the call's name in the text: "from 127.0.0.1:80".
struct call_site {
  std::string_view call;
  std::string_view subject = {};
  std::string_view detail = {};  // What of the input was wrong, or nothing.
};

// What the message of EPERM does not say: that the caller is no fiber. Else nothing.
std::string_view explain_permission(int error) noexcept;

// Requires: `error` is not 0.
// Throws: std::system_error with the text "CALL SUBJECT (DETAIL): MESSAGE"; weft::cancelled for ECANCELED.
[[noreturn]] void throw_failure(int error, const call_site& where);

}  // namespace weft::inline v0::detail
