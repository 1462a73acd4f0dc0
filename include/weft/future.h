// Results that come later: what a promise or a packaged_task hands out.
#pragma once

#include <weft/cancelled.h>
#include <weft/deadline.h>
#include <weft/detail/future_state.h>
#include <weft/future_error.h>

#include <functional>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

namespace detail {
struct select_access;
}

// What future<T> and shared_future<T> can do, whatever T. A call on a future without a state (default-constructed,
// moved from, or got) throws weft::future_error with the code no_state; done() and cancelled() are false then.
//
// Thread safety: one future object is one owner's, but cancel() may be called while the owner is in wait(); get() of a
//   future that is not shared gives its state up, so there the other one needs a share of its own. Futures of the same
//   state are independent. All calls are for fibers and plain threads: a waiting fiber frees its core, a thread blocks.
// Lifetime: no future depends on a runtime; dropping one neither waits nor cancels.
class WEFT_API basic_future {
 public:
  // Whether there is a state to wait for.
  bool valid() const noexcept { return static_cast<bool>(state_); }

  // Waits for a value, an error or cancellation.
  // Cancel: throws weft::cancelled when the calling fiber is cancelled.
  // Blocks: fiber or thread.
  void wait() const { state_.checked("weft::future::wait").wait(detail::never); }

  // As wait(), but gives up at the deadline. Never std::future_status::deferred.
  std::future_status wait_until(deadline moment) const {
    const bool is_there = state_.checked("weft::future::wait_until").wait(moment.nanoseconds());
    return is_there ? std::future_status::ready : std::future_status::timeout;
  }
  std::future_status wait_for(deadline moment) const { return wait_until(moment); }

  // Whether a value, an error or cancellation is there: get() then returns or throws at once.
  // Ordering: what the producer did before it set the result is visible to who sees `true`.
  bool done() const noexcept { return state_ && state_.get()->done(); }

  // Whether it was cancelled.
  bool cancelled() const noexcept { return state_ && state_.get()->is_cancelled(); }

  // Gives up on the result: all who wait or come later get weft::join_cancelled, the producer's on_cancel() callbacks
  // are called, and what it still sets is dropped.
  // Returns: whether this call did it; false when there was an outcome already, or it is being stored right now.
  // Blocks: never, but for what the callbacks do.
  bool cancel() const { return state_.checked("weft::future::cancel").cancel(); }

  // Calls `callback()` once, when the future is done: on whoever sets, cancels or breaks it, or at once on the caller if
  // it is done already. Callbacks run in order of registration, and shielded, after the waiters were woken. What one
  // throws is reported as an error that nobody joins. It is called even if no future is left by then.
  // Throws: std::bad_alloc, and what copying `callback` throws.
  template <detail::callback_function F>
  void on_done(F&& callback) const {
    detail::future_state& state = state_.checked("weft::future::on_done");
    state.add_callback(detail::make_callback(std::forward<F>(callback)));
  }

 protected:
  friend struct detail::select_access;

  basic_future() noexcept = default;
  explicit basic_future(detail::future_reference state) noexcept : state_(std::move(state)) {}
  basic_future(const basic_future&) = default;
  basic_future(basic_future&&) noexcept = default;
  basic_future& operator=(const basic_future&) = default;
  basic_future& operator=(basic_future&&) noexcept = default;
  ~basic_future() = default;

  // Waits for the outcome, whatever it is.
  detail::future_state& with_outcome(const char* call) const {
    detail::future_state& state = state_.checked(call);
    state.wait(detail::never);
    if (!state.has_value()) state.check_caller();
    return state;
  }

  detail::future_reference state_;
};

template <class T>
class shared_future;

template <class T>
class [[nodiscard]] future : public basic_future {
  static_assert(std::is_void_v<T> || std::is_reference_v<T> || (std::is_object_v<T> && !std::is_array_v<T>),
                "the value of a future is an object, a reference or void");

 public:
  future() noexcept = default;
  explicit future(detail::future_reference state) noexcept : basic_future(std::move(state)) {}
  future(future&&) noexcept = default;
  future& operator=(future&&) noexcept = default;

  // Waits, moves the value out, and leaves the future without a state. If moving throws, the value is lost.
  // Throws: the error that was set; weft::broken_promise; weft::join_cancelled if the future was cancelled.
  // Cancel: throws weft::cancelled when the calling fiber is cancelled; then the future keeps its state.
  T get() {
    with_outcome("weft::future::get");
    const detail::future_reference taken(state_.let_go());
    if (!taken.get()->has_value()) taken.get()->throw_failure("weft::future::get");
    return static_cast<detail::future_block<T>*>(taken.get())->slot.take();
  }

  // The same result for many; leaves this future without a state.
  shared_future<T> share() noexcept { return shared_future<T>(std::move(*this)); }
};

// Copies share one result, which stays in the state until the last of them goes.
template <class T>
class [[nodiscard]] shared_future : public basic_future {
 public:
  shared_future() noexcept = default;
  shared_future(future<T>&& other) noexcept  // NOLINT: implicit, as std::shared_future.
      : basic_future(static_cast<basic_future&&>(other)) {}
  shared_future(const shared_future&) = default;
  shared_future(shared_future&&) noexcept = default;
  shared_future& operator=(const shared_future&) = default;
  shared_future& operator=(shared_future&&) noexcept = default;

  // Waits; returns the value in the state: `const T&`, or T& or nothing. Throws as future::get().
  // Thread safety: the value is shared; what changes it must be guarded.
  decltype(auto) get() const {
    detail::future_state& state = with_outcome("weft::shared_future::get");
    if (!state.has_value()) state.throw_failure("weft::shared_future::get");
    auto& slot = static_cast<detail::future_block<T>&>(state).slot;
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(*slot.value);
    } else {
      return static_cast<const T&>(slot.value);
    }
  }
};

// A future that has its value already.
template <class T, class... Args>
future<T> make_ready_future(Args&&... args) {
  detail::future_state* const state =
      new detail::future_block<T>(detail::completion::already_done{}, [&]() -> decltype(auto) {
        if constexpr (std::is_void_v<T>) {
          return;
        } else if constexpr (std::is_reference_v<T>) {
          return static_cast<T>((args, ...));
        } else {
          return T(std::forward<Args>(args)...);
        }
      });
  return future<T>(detail::future_reference(state));
}
template <int = 0, class V>
future<std::unwrap_ref_decay_t<V>> make_ready_future(V&& value) {
  return make_ready_future<std::unwrap_ref_decay_t<V>, V>(std::forward<V>(value));
}
inline future<void> make_ready_future() { return make_ready_future<void>(); }

// A future that has failed already. Throws: std::invalid_argument if `error` is null.
template <class T>
future<T> make_error_future(std::exception_ptr error) {
  detail::future_reference state(new detail::future_block<T>);
  state.get()->set_error(std::move(error), "weft::make_error_future");
  return future<T>(std::move(state));
}

}  // namespace weft::inline v0
