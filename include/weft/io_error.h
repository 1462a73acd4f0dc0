// Errors of reading and writing that the operating system has no number for.
//
// Every call that does I/O comes in two forms. The throwing form throws std::system_error whose text names
// the call and the address, and weft::cancelled once the calling fiber is cancelled. The form that takes a
// std::error_code& is noexcept, sets it on every return (clears it on success), and reports
//   std::errc::timed_out                 the deadline passed,
//   std::errc::operation_canceled        the calling fiber is cancelled,
//   std::errc::bad_file_descriptor       the object is closed, or was closed meanwhile,
//   std::errc::device_or_resource_busy   another fiber is in the middle of the same kind of call on it,
//   std::errc::operation_not_permitted   the caller is no fiber, or one of another runtime,
//
// beside the numbers of the operating system.
#pragma once

#include <weft/detail/config.h>

#include <system_error>

namespace weft::inline v0 {

enum class io_errc {
  end_of_stream = 1,  // The stream ended in the middle of what was asked for.
};

// Named "weft.io". Thread safety: may be used from any thread, at any time after static initialisation began.
WEFT_API const std::error_category& io_category() noexcept;

inline std::error_code make_error_code(io_errc error) noexcept {
  return std::error_code(static_cast<int>(error), io_category());
}

}  // namespace weft::inline v0

template <>
struct std::is_error_code_enum<weft::io_errc> : std::true_type {};
