// A limit on the time that a piece of work may take, whatever it waits for.
//
//   weft::with_timeout(200ms, [&] { talk_to(peer); });          // throws weft::timed_out
//   bool in_time = weft::move_on_after(1s, [&] { warm_up(); });
#pragma once

#include <weft/cancelled.h>
#include <weft/deadline.h>
#include <weft/detail/cancel_frame.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

// The deadline of a timeout has passed. Thrown by the timeout that set the deadline, and by no other one.
class WEFT_API timed_out : public std::system_error {
 public:
  explicit timed_out(const char* what) : std::system_error(std::make_error_code(std::errc::timed_out), what) {}
};

// A deadline for what the calling fiber does, and for the children of scopes in it, while it lives. When the deadline
// passes, the suspension point that the fiber waits in, and every later one, throws weft::cancelled with
// cancel_reason::deadline; run() turns that into weft::timed_out.
//
// A deadline that has passed already lets the work run to its first suspension. A deadline of never costs nothing.
// Timeouts nest: of several that have passed, the outermost one throws timed_out, for its work is over as a whole. What
// was cancelled from further outside (the fiber, a scope around it) stays weft::cancelled.
//
// Throws: std::system_error (operation_not_permitted) outside of fibers.
// Thread safety: one fiber's, in which it also ends.
// Cost: no allocation, no system call; about 40 ns.
class WEFT_API timeout_scope {
 public:
  explicit timeout_scope(deadline limit);
  ~timeout_scope();
  timeout_scope(const timeout_scope&) = delete;
  timeout_scope& operator=(const timeout_scope&) = delete;

  // Calls `f()` and returns what it returns.
  // Throws: weft::timed_out if the deadline cut `f` short; whatever else `f` throws. If `f` returns in spite of the
  //   deadline, that counts.
  template <std::invocable F>
  std::invoke_result_t<F> run(F&& f) {
    try {
      return std::invoke(std::forward<F>(f));
    } catch (const cancelled&) {
      if (close()) throw_timed_out();
      throw;
    }
  }

  // Whether the deadline has passed while the scope lived.
  bool expired() const noexcept { return frame_.is_cancelled(); }

  deadline when() const noexcept { return limit_; }

  // Another deadline from now on. False if it had expired: then nothing changes.
  bool reschedule(deadline limit) noexcept;

 private:
  template <std::invocable F>
  friend bool move_on_after(deadline limit, F&& f);

  [[noreturn]] void throw_timed_out() const;
  void arm() noexcept;
  void disarm() noexcept;

  // Ends it, the first time. Whether a `cancelled` that came out of it was its own, and it is over.
  bool close() noexcept;

  static constexpr std::size_t timer_bytes = 64;

  detail::cancel_frame frame_;
  deadline limit_;
  bool is_open_ = true;
  bool is_armed_ = false;
  alignas(void*) std::byte timer_[timer_bytes];
};

// timeout_scope(limit).run(f).
template <std::invocable F>
std::invoke_result_t<F> with_timeout(deadline limit, F&& f) {
  timeout_scope within(limit);
  return within.run(std::forward<F>(f));
}

// Calls `f()`, whose result is dropped. False if the deadline cut it short.
template <std::invocable F>
bool move_on_after(deadline limit, F&& f) {
  timeout_scope within(limit);
  try {
    static_cast<void>(std::invoke(std::forward<F>(f)));
    return true;
  } catch (const cancelled&) {
    if (within.close()) return false;
    throw;
  }
}

}  // namespace weft::inline v0
