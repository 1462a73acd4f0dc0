// The producing side of a future.
#pragma once

#include <weft/future.h>

#include <string_view>

namespace weft::inline v0 {

// What promise<T> can do, whatever T. A call on a promise without a state (moved from) throws weft::future_error.
class WEFT_API basic_promise {
 public:
  // Sets the error that get() throws. weft::cancelled cancels the future instead, so that no other fiber takes it for
  // its own cancellation.
  // Throws: as set_value(); std::invalid_argument if `error` is null.
  void set_exception(std::exception_ptr error) {
    if (!set_error(std::move(error))) state_.get()->refuse_second("weft::promise::set_exception");
  }

  // The same; false instead of throwing when there is an outcome already.
  bool set_error(std::exception_ptr error) {
    return state_.checked("weft::promise::set_error").set_error(std::move(error), "weft::promise::set_error");
  }

  // Whether the consumer has given up: what is set is dropped.
  bool cancelled() const noexcept { return state_ && state_.get()->is_cancelled(); }

  // Calls `callback()` once, when the future is cancelled: on whoever cancels it, after its waiters were woken, or at once
  // if it is cancelled already. Never called, but freed with the state, if it is not cancelled.
  template <detail::callback_function F>
  void on_cancel(F&& callback) {
    detail::future_state& state = state_.checked("weft::promise::on_cancel");
    state.add_cancel_callback(detail::make_callback(std::forward<F>(callback)));
  }

 protected:
  basic_promise() noexcept = default;
  explicit basic_promise(detail::future_state* state) noexcept : state_(state) {}
  basic_promise(basic_promise&&) noexcept = default;
  basic_promise& operator=(basic_promise&& other) noexcept {
    if (this != &other) {
      drop();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~basic_promise() { drop(); }

  void drop() noexcept {
    if (detail::future_state* const state = state_.let_go()) state->drop_promise();
  }

  detail::future_reference state_;
};

// Thread safety: the set_... calls, cancelled() and on_cancel() may be called at once, by fibers and plain threads; the
//   first to set wins.
// Lifetime: destroying, or assigning to, a promise without a result breaks it: get() throws weft::broken_promise, whose
//   text holds the promise's name. A promise may be destroyed the instant its result is set.
template <class T>
class promise : public basic_promise {
  struct nothing;  // Stands in for what T is not.
  using object = std::conditional_t<std::is_object_v<T>, T, nothing>;
  using reference = std::conditional_t<std::is_reference_v<T>, T, nothing&>;

 public:
  // Throws: std::bad_alloc.
  promise() : basic_promise(new detail::future_block<T>) {}
  explicit promise(std::string_view name) : promise() { state_.get()->set_name(name); }
  promise(promise&&) noexcept = default;
  promise& operator=(promise&&) noexcept = default;

  // Once. Throws: weft::future_error, future_already_retrieved from the second time on.
  future<T> get_future() {
    state_.checked("weft::promise::get_future").retrieve("weft::promise::get_future");
    return future<T>(state_);
  }

  // Stores the value and wakes all who wait. Dropped without a word if the future was cancelled.
  // Throws: weft::future_error, promise_already_satisfied, when it was set before or is being set; what copying or moving
  //   the value throws: then nothing is set, and it may be tried again.
  // Blocks: never, but for what the callbacks of on_done() do.
  void set_value(const object& value) requires(std::is_object_v<T>) { set(value); }
  void set_value(object&& value) requires(std::is_object_v<T>) { set(std::move(value)); }
  void set_value(reference value) requires(std::is_reference_v<T>) { set(static_cast<T>(value)); }
  void set_value() requires(std::is_void_v<T>) { set(); }

  // The same; false instead of throwing when there is an outcome already, and when the future was cancelled.
  bool set_result(const object& value) requires(std::is_object_v<T>) { return store(value); }
  bool set_result(object&& value) requires(std::is_object_v<T>) { return store(std::move(value)); }
  bool set_result(reference value) requires(std::is_reference_v<T>) { return store(static_cast<T>(value)); }
  bool set_result() requires(std::is_void_v<T>) { return store(); }

  void swap(promise& other) noexcept { std::swap(state_, other.state_); }

 private:
  template <class... V>
  bool store(V&&... value) {
    auto& state = static_cast<detail::future_block<T>&>(state_.checked("weft::promise::set_value"));
    if constexpr (std::is_void_v<T>) {
      return state.store([] {});
    } else {
      return state.store([&]() -> decltype(auto) { return (std::forward<V>(value), ...); });
    }
  }
  template <class... V>
  void set(V&&... value) {
    if (!store(std::forward<V>(value)...)) state_.get()->refuse_second("weft::promise::set_value");
  }
};

}  // namespace weft::inline v0
