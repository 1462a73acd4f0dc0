// Data that can only be reached under its lock.
#pragma once

#include <weft/deadline.h>
#include <weft/mutex.h>

#include <concepts>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

// Points to guarded data, and holds the lock for as long as it lives. Empty after a try that failed.
template <class T, class Lock>
class [[nodiscard]] locked_pointer {
 public:
  explicit operator bool() const noexcept { return lock_.owns_lock(); }

  // Requires: not empty.
  T& operator*() const noexcept { return *data_; }
  T* operator->() const noexcept { return data_; }

  // For a condition variable to wait with. Whoever unlocks it must not touch the data.
  Lock& guard() noexcept { return lock_; }

 private:
  template <class U, class M>
  friend class guarded;

  locked_pointer(T& data, Lock lock) noexcept : lock_(std::move(lock)), data_(&data) {}

  Lock lock_;
  T* data_;
};

template <class Mutex>
concept shared_lockable = requires(Mutex& m) {
  m.lock_shared();
  m.unlock_shared();
};

// A T and the mutex that guards it.
//
//   weft::guarded<std::vector<int>> numbers;
//   numbers.with([](std::vector<int>& n) { n.push_back(1); });
//   numbers.lock()->push_back(2);
//
// With weft::shared_mutex there are readers, too: read() hands out a const T& to many at once.
//
// Thread safety: all members may be called at once.
// Throws, cancel: as the mutex's lock().
// Lifetime: pointers and what with() hands out end before the object does. References to the data that outlive them are
//   references without a lock.
template <class T, class Mutex = mutex>
class guarded {
 public:
  using pointer = locked_pointer<T, std::unique_lock<Mutex>>;
  using const_pointer = locked_pointer<const T, std::shared_lock<Mutex>>;

  guarded() requires std::default_initializable<T>
  = default;
  template <class First, class... Rest,
            class = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<First>, guarded> &&
                                     std::is_constructible_v<T, First, Rest...>>>
  explicit guarded(First&& first, Rest&&... rest) : data_(std::forward<First>(first), std::forward<Rest>(rest)...) {}
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  // Returns what `f(T&)` returns, by value: no reference gets out.
  template <class F>
  auto with(F&& f) {
    const std::unique_lock<Mutex> hold(mutex_);
    return std::invoke(std::forward<F>(f), data_);
  }

  pointer lock() { return pointer(data_, std::unique_lock<Mutex>(mutex_)); }
  pointer try_lock() { return pointer(data_, std::unique_lock<Mutex>(mutex_, std::try_to_lock)); }
  pointer try_lock_until(deadline moment) {
    std::unique_lock<Mutex> hold(mutex_, std::defer_lock);
    if (mutex_.try_lock_until(moment)) hold = std::unique_lock<Mutex>(mutex_, std::adopt_lock);
    return pointer(data_, std::move(hold));
  }
  pointer try_lock_for(deadline moment) { return try_lock_until(moment); }

  // Returns what `f(const T&)` returns, by value.
  template <class F>
  requires shared_lockable<Mutex>
  auto read(F&& f) const {
    const std::shared_lock<Mutex> hold(mutex_);
    return std::invoke(std::forward<F>(f), data_);
  }

  const_pointer read() const requires shared_lockable<Mutex> {
    return const_pointer(data_, std::shared_lock<Mutex>(mutex_));
  }

 private:
  mutable Mutex mutex_;
  T data_{};
};

}  // namespace weft::inline v0
