// Doing something once, whoever comes first.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/wait_list_ends.h>
#include <weft/detail/waitable_word.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace weft::inline v0 {

// Whether a call_once() has happened.
//
// Lifetime: may be destroyed the instant a call has returned, if all others have returned. Destroying it while a call
//   is under way ends the program with a message.
class WEFT_API once_flag {
 public:
  constexpr once_flag() noexcept = default;
  ~once_flag();
  once_flag(const once_flag&) = delete;
  once_flag& operator=(const once_flag&) = delete;

 private:
  template <class F, class... Args>
  friend void call_once(once_flag& flag, F&& f, Args&&... args);

  static constexpr std::uint64_t done_bit = detail::waitable_word::unit;

  // True for the caller that is to make the call.
  bool begin();
  void finish(bool has_succeeded) noexcept;

  detail::waitable_word word_;  // Nothing, the identity of the caller that makes the call, or done_bit.
  detail::wait_list_ends waiters_;
};

// Calls `f(args...)`, unless a call with this flag has succeeded before. While one is under way, who comes along waits:
// a fiber frees its core, a thread blocks. A call that throws, also because it was cancelled, does not count: the next
// caller tries, one of those that wait if there are any.
//
// Throws: what `f` throws, to its caller alone; std::system_error (resource_deadlock_would_occur) from within `f`.
// Cancel: throws weft::cancelled if it would have to wait.
// Ordering: what `f` did is visible when any call_once() with this flag returns.
template <class F, class... Args>
void call_once(once_flag& flag, F&& f, Args&&... args) {
  if (flag.word_.load(detail::acquire) == once_flag::done_bit) return;  // Pairs with finish().
  if (!flag.begin()) return;
  struct ending {
    once_flag& flag;
    bool has_succeeded = false;
    ~ending() { flag.finish(has_succeeded); }
  } at_end{flag};
  std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  at_end.has_succeeded = true;
}

}  // namespace weft::inline v0
