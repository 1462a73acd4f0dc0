// What a cancelled fiber, and who joins it, sees.
#pragma once

#include <weft/detail/config.h>

#include <system_error>

namespace weft::inline v0 {

// Thrown at every suspension point of a fiber that was cancelled. Not a std::exception, so that `catch
// (std::exception&)` does not swallow it; swallowing it with `catch (...)` does not help: the next suspension point
// throws again.
class WEFT_API cancelled {
 public:
  const char* what() const noexcept { return "this fiber was cancelled"; }
};

// Thrown by join() when the joined fiber was cancelled: `cancelled` only ever means the calling fiber itself.
class WEFT_API join_cancelled : public std::system_error {
 public:
  explicit join_cancelled(const std::string& what)
      : std::system_error(std::make_error_code(std::errc::operation_canceled), what) {}
};

}  // namespace weft::inline v0
