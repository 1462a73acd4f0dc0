// What a fiber can do to itself.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/config.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::inline v0::this_fiber {

// Lets others of this core run first. On a plain thread: std::this_thread::yield().
// Cancel: throws weft::cancelled.
WEFT_API void yield();

// Suspends until `moment`; yields if it has passed. On a plain thread: sleeps.
// Cancel: throws weft::cancelled, at once when it is pending already, even if there is no time to sleep.
// Blocks: fiber or thread.
WEFT_API void sleep_until(deadline moment);

// The same for a length of time. Zero and less yields; what does not fit (hours::max()) sleeps until cancelled.
template <class Rep, class Period>
void sleep_for(const std::chrono::duration<Rep, Period>& length) {
  sleep_until(deadline(length));
}

// Unique within its runtime; 0 outside of fibers.
WEFT_API std::uint64_t id() noexcept;

// As given in its attributes; empty for none, and outside of fibers. Valid as long as the fiber runs.
WEFT_API std::string_view name() noexcept;

// How much of its stack the fiber uses at this call, and how much there is. Zeroes outside of fibers.
struct stack_usage {
  std::size_t used_bytes = 0;
  std::size_t size_bytes = 0;
};
WEFT_API stack_usage stack_usage_now() noexcept;

// The core that the fiber runs on now; it may be another one after the next suspension of a migrating fiber.
// Throws: std::system_error (operation_not_permitted) outside of fibers.
WEFT_API std::size_t core();

}  // namespace weft::inline v0::this_fiber

namespace weft::inline v0 {

// While one lives, the calling fiber stays on the core it runs on: for code that keeps state per thread. May
// be nested. No effect outside of fibers. Must end in the fiber that began it.
class [[nodiscard]] WEFT_API pin_guard {
 public:
  pin_guard() noexcept;
  ~pin_guard();
  pin_guard(const pin_guard&) = delete;
  pin_guard& operator=(const pin_guard&) = delete;

 private:
  bool pinned_;
};

}  // namespace weft::inline v0
