// Code that must not lose its thread halfway: a guard that says so, and a lock of the system's that carries it.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/source_location.h>

#include <mutex>

namespace weft::inline v0 {

namespace detail {

// A guard under way, in the list of its fiber. Laid out the same in every build.
struct no_suspend_mark {
  source_location where;
  no_suspend_mark* outer = nullptr;
};

// Whether this build of weft looks at the marks.
WEFT_API bool suspension_is_checked() noexcept;
WEFT_API void open_mark(no_suspend_mark& mark) noexcept;
WEFT_API void close_mark(no_suspend_mark& mark) noexcept;

}  // namespace detail

// While one lives, the calling fiber must not suspend: for code between two calls of a library that keeps state per
// thread, or that holds a lock of the system's. In builds of weft with assertions (b_ndebug=false; the ones for sanitizers
// are) a fiber that waits or yields nevertheless ends the program with a message that names fiber, call and guard. In
// every build a lock, a semaphore or an event that need not wait does not let others run under it. Outside of fibers it
// does nothing.
//
// Lifetime: ends in the fiber that began it.
class [[nodiscard]] no_suspend {
 public:
  explicit no_suspend(source_location where = source_location::current()) noexcept : mark_{where} {
    detail::open_mark(mark_);
  }
  ~no_suspend() { detail::close_mark(mark_); }
  no_suspend(const no_suspend&) = delete;
  no_suspend& operator=(const no_suspend&) = delete;

 private:
  detail::no_suspend_mark mark_;
};

// A lock that fibers may use only for sections in which they do not suspend, such as std::mutex: it blocks the core, and
// must be unlocked by the thread that locked it. Holds a no_suspend guard while it is locked, which names the place where
// the checked_lock was made. Meets Lockable.
template <class Mutex = std::mutex>
class checked_lock {
 public:
  explicit checked_lock(source_location where = source_location::current()) noexcept : mark_{where} {}
  checked_lock(const checked_lock&) = delete;
  checked_lock& operator=(const checked_lock&) = delete;

  // Blocks: thread, and with it all fibers of the core.
  void lock() {
    mutex_.lock();
    detail::open_mark(mark_);
  }
  bool try_lock() {
    if (!mutex_.try_lock()) return false;
    detail::open_mark(mark_);
    return true;
  }
  void unlock() {
    detail::close_mark(mark_);
    mutex_.unlock();
  }

 private:
  Mutex mutex_;
  detail::no_suspend_mark mark_;  // Under mutex_.
};

}  // namespace weft::inline v0
