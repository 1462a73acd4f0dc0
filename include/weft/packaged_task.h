// A function whose result goes into a future.
#pragma once

#include <weft/promise.h>

#include <memory>
#include <optional>
#include <utility>

namespace weft::inline v0 {

namespace detail {

template <class R, class... Args>
struct task_function {
  virtual ~task_function() = default;
  virtual R call(Args... args) = 0;
};

template <class F, class R, class... Args>
struct task_function_of final : task_function<R, Args...> {
  F function;
  template <class G>
  explicit task_function_of(G&& f) : function(std::forward<G>(f)) {}
  R call(Args... args) override {
    if constexpr (std::is_void_v<R>) {
      static_cast<void>(std::invoke(function, std::forward<Args>(args)...));
    } else {
      return std::invoke(function, std::forward<Args>(args)...);
    }
  }
};

}  // namespace detail

template <class Signature>
class packaged_task;

// Movable. Destroyed without a call it breaks its promise.
//
// Thread safety: one owner's, but the future may be cancelled at any time.
template <class R, class... Args>
class packaged_task<R(Args...)> {
 public:
  packaged_task() noexcept = default;

  // Throws: std::bad_alloc, and what copying `f` throws.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, packaged_task> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) explicit packaged_task(F&& f)
      : packaged_task(std::string_view(), std::forward<F>(f)) {}

  // The name goes into weft::broken_promise.
  template <class F>
  requires std::is_invocable_r_v < R, std::decay_t<F>
  &,
      Args... > packaged_task(std::string_view name, F&& f)
      : promise_(std::in_place, name),
  function_(std::make_unique<detail::task_function_of<std::decay_t<F>, R, Args...>>(std::forward<F>(f))) {}

  packaged_task(packaged_task&&) noexcept = default;
  packaged_task& operator=(packaged_task&&) noexcept = default;

  // Whether there is a function to call. Every other call throws weft::future_error (no_state) if not.
  bool valid() const noexcept { return function_ != nullptr; }

  // Once for each promise.
  future<R> get_future() { return checked("weft::packaged_task::get_future").get_future(); }

  // Calls the function, and sets what it returns or throws. If the future was cancelled, the function is not called.
  // Throws: weft::future_error, promise_already_satisfied, when it was called before.
  // Cancel: weft::cancelled out of the function cancels the future, and is passed on: it is this fiber that ends.
  void operator()(Args... args) {
    promise<R>& result = checked("weft::packaged_task::operator()");
    if (std::exchange(was_called_, true)) {
      throw future_error(std::future_errc::promise_already_satisfied,
                         "weft::packaged_task::operator(): it was called before");
    }
    if (result.cancelled()) return;
    try {
      if constexpr (std::is_void_v<R>) {
        function_->call(std::forward<Args>(args)...);
        result.set_result();
      } else {
        result.set_result(function_->call(std::forward<Args>(args)...));
      }
    } catch (const weft::cancelled&) {
      result.set_error(std::current_exception());
      throw;
    } catch (...) {
      result.set_error(std::current_exception());
    }
  }

  // Begins anew, with the same function and a new promise; the old one is broken if it was not called.
  void reset() {
    checked("weft::packaged_task::reset");
    promise<R> next;  // First: where there is no memory, all stays as it was.
    promise_.emplace(std::move(next));
    was_called_ = false;
  }

  // Whether the future was cancelled: for functions that ask on their way.
  bool cancelled() const noexcept { return promise_ && promise_->cancelled(); }

  void swap(packaged_task& other) noexcept { std::swap(*this, other); }

 private:
  promise<R>& checked(const char* call) {
    if (function_ == nullptr) detail::refuse_without_state(call);
    return *promise_;
  }

  std::optional<promise<R>> promise_;
  std::unique_ptr<detail::task_function<R, Args...>> function_;
  bool was_called_ = false;
};

}  // namespace weft::inline v0
