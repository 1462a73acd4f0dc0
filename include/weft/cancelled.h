// What a cancelled fiber, and who joins it, sees.
#pragma once

#include <weft/detail/config.h>

#include <cstdint>
#include <string>
#include <system_error>

namespace weft::inline v0 {

// Why a fiber, or a part of what it does, was cancelled.
enum class cancel_reason : std::uint8_t {
  user,      // fiber::cancel(), scope::cancel(), or a handle that was dropped.
  deadline,  // A timeout around it.
  scope,     // Another child of its scope failed, or decided the scope's outcome.
  shutdown,  // The runtime ends.
};

WEFT_API const char* to_string(cancel_reason why) noexcept;

namespace detail {
[[noreturn]] WEFT_API void throw_cancelled(const char* call);
// Throws weft::cancelled if the next cancellable wait of the caller would.
WEFT_API void check_cancelled(const char* call);
}

// Thrown at every suspension point of a fiber that was cancelled. Not a std::exception, so that `catch
// (std::exception&)` does not swallow it; swallowing it with `catch (...)` does not help: the next suspension point
// throws again. It is weft's to throw: it only ever means the fiber that it is thrown in.
class WEFT_API cancelled {
 public:
  // Of the outermost cancellation that is under way.
  cancel_reason reason() const noexcept { return reason_; }
  const char* what() const noexcept { return "this fiber was cancelled"; }

 private:
  friend void detail::throw_cancelled(const char* call);
  explicit cancelled(cancel_reason why) noexcept : reason_(why) {}

  cancel_reason reason_;
};

// Thrown by join() when the joined fiber was cancelled, and by what waits for a future that was.
class WEFT_API join_cancelled : public std::system_error {
 public:
  explicit join_cancelled(const std::string& what)
      : std::system_error(std::make_error_code(std::errc::operation_canceled), what) {}
};

}  // namespace weft::inline v0
