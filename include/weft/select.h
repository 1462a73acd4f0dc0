// Waiting for whichever of several things comes first, and doing that one alone.
//
//   weft::select(
//       weft::on_receive(jobs, [&](std::optional<job> next) { ... }),   // empty: jobs is closed and drained
//       weft::on_send(results, std::move(result), [&] { ... }),
//       weft::on_join(helper, [&] { ... }),
//       weft::on_timeout(200ms, [&] { ... }));
#pragma once

#include <weft/basic_channel.h>
#include <weft/deadline.h>
#include <weft/detail/select_case.h>
#include <weft/event.h>
#include <weft/fiber.h>
#include <weft/future.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

namespace detail {

struct no_action {
  void operator()() const noexcept {}
};

// A case whose handler takes nothing.
template <class F>
struct plain_case : select_case {
  F handler;
  explicit plain_case(F f) : handler(std::move(f)) {}
  void prepare() noexcept {}
  void run() { std::invoke(handler); }
};

template <class T, class F>
struct receive_case : select_case {
  F handler;
  std::optional<T> value;
  explicit receive_case(F f) : handler(std::move(f)) {}
  void prepare() noexcept {
    value.reset();
    place = std::addressof(value);
  }
  void run() { std::invoke(handler, std::move(value)); }
};

// Sends a copy of its own: once.
template <class T, class F>
struct send_copy_case : plain_case<F> {
  T value;
  send_copy_case(const T& v, F f) : plain_case<F>(std::move(f)), value(v) {}
  void prepare() noexcept { this->place = std::addressof(value); }
};

// Sends what its caller owns, which must live as long as the select.
template <class T, class F>
struct send_case : plain_case<F> {
  send_case(T& v, F f) : plain_case<F>(std::move(f)) { this->place = std::addressof(v); }
};

// The same for what outlives the expression that makes the case.
template <class T, class F>
struct send_kept_case : send_case<T, F> {
  using send_case<T, F>::send_case;
};

// What it sends may be gone, or was moved from, the second time.
template <class Case>
inline constexpr bool is_for_one_select = false;
template <class T, class F>
inline constexpr bool is_for_one_select<send_case<T, F>> = true;
template <class T, class F>
inline constexpr bool is_for_one_select<send_copy_case<T, F>> = !std::is_trivially_copyable_v<T>;

struct select_access {
  WEFT_API static const select_ops completion_ops;
  WEFT_API static const select_ops event_ops;
  WEFT_API static const select_ops auto_reset_event_ops;
  // Throws: std::system_error (invalid_argument) where the handle has no fiber.
  WEFT_API static completion* end_of(const basic_fiber& f);
  // Throws: weft::future_error (no_state).
  static completion* end_of(const basic_future& f) { return &f.state_.checked("weft::on_ready").end(); }

  template <class Case>
  static Case& of_source(Case& c, const select_ops& ops, void* object) noexcept {
    c.ops = &ops;
    c.object = object;
    c.what = object != nullptr ? select_case::role::source : select_case::role::disabled;
    return c;
  }
};

template <class C>
concept selectable = std::derived_from<std::remove_cvref_t<C>, select_case>;

}  // namespace detail

// --- Cases ---------------------------------------------------------------------------------------------------------------
// Each takes what it is about by reference; channels also by pointer, where a null pointer makes a case that is never chosen.
// Handlers are called by select() when nothing is held or waited for any more, and may do as they like; leave those that take
// nothing away where the index that select() returns says enough.

// Receives a value and hands it to `handler(std::optional<T>)`; empty once the channel is closed and drained.
template <class T, class Store, std::invocable<std::optional<T>> F>
[[nodiscard]] auto on_receive(basic_channel<T, Store>* from, F handler) {
  detail::receive_case<T, F> c(std::move(handler));
  if (from != nullptr) {
    detail::select_access::of_source(c, detail::channel_access::receive_ops(*from),
                                     &detail::channel_access::core_of(*from));
  }
  return c;
}
template <class T, class Store, std::invocable<std::optional<T>> F>
[[nodiscard]] auto on_receive(basic_channel<T, Store>& from, F handler) {
  return on_receive(&from, std::move(handler));
}
// Receives into `place`.
template <class T, class Store>
[[nodiscard]] auto on_receive(basic_channel<T, Store>& from, std::optional<T>& place) {
  return on_receive(&from, [&place](std::optional<T> value) { place = std::move(value); });
}

// Sends `value`, which is moved from only if this case is chosen.
// Throws: select() throws weft::channel_closed where the channel is closed.
template <class T, class Store, std::invocable F = detail::no_action>
[[nodiscard]] auto on_send(basic_channel<T, Store>* to, std::type_identity_t<T>&& value, F handler = {}) {
  detail::send_case<T, F> c(value, std::move(handler));
  if (to != nullptr) {
    detail::select_access::of_source(c, detail::channel_access::send_ops(*to), &detail::channel_access::core_of(*to));
  }
  return c;
}
template <class T, class Store, std::invocable F = detail::no_action>
[[nodiscard]] auto on_send(basic_channel<T, Store>& to, std::type_identity_t<T>&& value, F handler = {}) {
  return on_send(&to, std::move(value), std::move(handler));
}
// The same with a reference, for a select_set: what it refers to is moved from each time this case is chosen.
template <class T, class Store, std::invocable F = detail::no_action>
[[nodiscard]] auto on_send(basic_channel<T, Store>& to, std::reference_wrapper<T> value, F handler = {}) {
  detail::send_kept_case<T, F> c(value.get(), std::move(handler));
  detail::select_access::of_source(c, detail::channel_access::send_ops(to), &detail::channel_access::core_of(to));
  return c;
}
// Sends a copy, which is made now: in one select, as it is moved from where it is chosen.
template <class T, class Store, std::invocable F = detail::no_action>
[[nodiscard]] auto on_send(basic_channel<T, Store>* to, const std::type_identity_t<T>& value, F handler = {}) {
  detail::send_copy_case<T, F> c(value, std::move(handler));
  if (to != nullptr) {
    detail::select_access::of_source(c, detail::channel_access::send_ops(*to), &detail::channel_access::core_of(*to));
  }
  return c;
}
template <class T, class Store, std::invocable F = detail::no_action>
[[nodiscard]] auto on_send(basic_channel<T, Store>& to, const std::type_identity_t<T>& value, F handler = {}) {
  return on_send(&to, value, std::move(handler));
}

// The fiber has ended: `f.join()` then returns at once. Throws: std::system_error (invalid_argument) for a handle without
// a fiber.
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_join(const basic_fiber& f, F handler = {}) {
  detail::plain_case<F> c(std::move(handler));
  detail::select_access::of_source(c, detail::select_access::completion_ops, detail::select_access::end_of(f));
  return c;
}

// The future has its outcome: `f.get()` then returns or throws at once. Throws: weft::future_error (no_state).
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_ready(const basic_future& f, F handler = {}) {
  detail::plain_case<F> c(std::move(handler));
  detail::select_access::of_source(c, detail::select_access::completion_ops, detail::select_access::end_of(f));
  return c;
}

// The event is set. An auto_reset_event's set() is used up only if this case is chosen.
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_event(event& e, F handler = {}) {
  detail::plain_case<F> c(std::move(handler));
  detail::select_access::of_source(c, detail::select_access::event_ops, &e);
  return c;
}
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_event(auto_reset_event& e, F handler = {}) {
  detail::plain_case<F> c(std::move(handler));
  detail::select_access::of_source(c, detail::select_access::auto_reset_event_ops, &e);
  return c;
}

// None of the other cases could be done until `limit`. Of several, the earliest counts.
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_timeout(deadline limit, F handler = {}) {
  detail::plain_case<F> c(std::move(handler));
  c.limit = limit.nanoseconds();
  c.what = detail::select_case::role::deadline;
  return c;
}

// None of the other cases can be done at once: a select with it never waits. They are asked one after the other: what
// others move from one that is not asked yet to one that was may be missed.
template <std::invocable F = detail::no_action>
[[nodiscard]] auto otherwise(F handler = {}) {
  detail::plain_case<F> c(std::move(handler));
  c.what = detail::select_case::role::otherwise;
  return c;
}

// The case itself if `condition` holds, else one that is never chosen. A case that is kept may be given again and again.
template <detail::selectable Case>
[[nodiscard]] Case&& when(bool condition, Case&& c) noexcept {
  c.is_off = !condition;
  return std::forward<Case>(c);
}

// --- select --------------------------------------------------------------------------------------------------------------

namespace detail {
template <class... Cases>
WEFT_ALWAYS_INLINE std::size_t select_from(bool by_priority, Cases&... cases) {
  select_case* const all[sizeof...(Cases) + 1] = {&cases...};
  std::uint16_t order[sizeof...(Cases) + 1];
  (cases.prepare(), ...);
  const std::size_t chosen = run_select(all, order, sizeof...(Cases), by_priority);
  std::size_t at = 0;
  static_cast<void>(((at++ == chosen ? (cases.run(), true) : false) || ...));
  return chosen;
}
}  // namespace detail

// Waits until one of the cases can be done, does it, calls its handler, and returns its index in the call. If several
// can be done, chance decides, each as likely as any other. All other cases are as if they had never been asked: no
// value is taken and dropped. Without a case that can ever be chosen it waits until it is cancelled.
// Throws: weft::channel_closed (on_send); the error a channel was closed with (on_receive); what moving a value throws;
//   what the handler throws.
// Cancel: throws weft::cancelled if it would have to wait, or lets others run, as one in 64 does; then no case was done.
// Blocks: fiber or thread.
template <detail::selectable... Cases>
std::size_t select(Cases&&... cases) {
  return detail::select_from(false, cases...);
}

// The same, but if several cases can be done, the first of them is chosen.
template <detail::selectable... Cases>
std::size_t select_in_order(Cases&&... cases) {
  return detail::select_from(true, cases...);
}

}  // namespace weft::inline v0
