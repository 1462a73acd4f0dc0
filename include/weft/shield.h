// Keeping cancellation out of a piece of work that must not be cut short.
#pragma once

#include <weft/detail/cancel_frame.h>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

// While one lives, nothing that was cancelled outside of it cuts the calling fiber's waits short: neither the fiber nor
// a timeout or scope around it. What is cancelled inside, by a timeout or scope of its own, still is. When it ends, the
// next suspension point obeys what came meanwhile. May be nested; an exception that unwinds shields, too. Under more
// than seven of both nothing cancels. No effect outside of fibers. Must end in the fiber that began it, in order.
class [[nodiscard]] shield_guard {
 public:
  shield_guard() noexcept { detail::enter_shield(); }
  ~shield_guard() { detail::leave_shield(); }
  shield_guard(const shield_guard&) = delete;
  shield_guard& operator=(const shield_guard&) = delete;
};

// Calls `f()` under a shield and returns what it returns.
template <std::invocable F>
std::invoke_result_t<F> shield(F&& f) {
  const shield_guard inside;
  return std::invoke(std::forward<F>(f));
}

}  // namespace weft::inline v0
