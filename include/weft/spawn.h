// Beginning a fiber from inside a fiber.
#pragma once

#include <weft/fiber.h>

#include <concepts>

namespace weft::inline v0 {

namespace detail {

// Carries the place of the call: behind a pack there is no room for a default argument.
struct placed_attributes {
  attributes wanted;
  source_location site;
  placed_attributes(const attributes& a,  // NOLINT: implicit
                    source_location where = source_location::current()) noexcept
      : wanted(a), site(where) {}
};

template <class F>
concept spawnable = !std::same_as<std::remove_cvref_t<F>, attributes> && std::invocable<std::decay_t<F>>;

template <class F, class Arg, class... Args>
concept spawnable_with =
    !std::same_as<std::remove_cvref_t<F>, attributes> && !std::same_as<std::remove_cvref_t<Arg>, source_location> &&
    std::invocable<std::decay_t<F>, std::decay_t<Arg>, std::decay_t<Args>...>;

}  // namespace detail

// Runs `f()` as a fiber of the calling fiber's runtime, at some time from now on, on whichever core is free
// first. `f` is moved or copied into the fiber and destroyed there when it has returned.
//
// Throws: std::bad_alloc; std::system_error (operation_not_permitted) outside of fibers; what copying `f` throws.
// Blocks: never.
// Lifetime: what `f` refers to must outlive the fiber.
// Complexity: one allocation, and no stack until it starts.
template <class F>
requires detail::spawnable<F>
[[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
    F&& f, source_location site = source_location::current()) {
  return spawn_in(nullptr, nullptr, site, std::forward<F>(f));
}

// As above, with attributes: spawn({.name = "parser", .stack_bytes = 256 << 10}, f).
// Throws: also std::invalid_argument that names the attribute and its value.
template <class F>
requires detail::spawnable<F>
[[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
    const attributes& wanted, F&& f, source_location site = source_location::current()) {
  return spawn_in(nullptr, &wanted, site, std::forward<F>(f));
}

// `f(args...)`, with decayed copies as std::thread makes them; std::ref passes a reference on. With four arguments and more
// reports name this header as the place of the spawn; a lambda reads better then.
template <class F, class A>
requires detail::spawnable_with<F, A>
[[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
    F&& f, A&& a, source_location site = source_location::current()) {
  return spawn_in(nullptr, nullptr, site, std::forward<F>(f), std::forward<A>(a));
}
template <class F, class A, class B>
requires detail::spawnable_with<F, A, B>
[[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
    F&& f, A&& a, B&& b, source_location site = source_location::current()) {
  return spawn_in(nullptr, nullptr, site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
}
template <class F, class A, class B, class C>
requires detail::spawnable_with<F, A, B, C>
[[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
    F&& f, A&& a, B&& b, C&& c, source_location site = source_location::current()) {
  return spawn_in(nullptr, nullptr, site, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                  std::forward<C>(c));
}
template <class F, class A, class B, class C, class D, class... More>
requires detail::spawnable_with<F, A, B, C, D, More...>
[[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(F&& f, A&& a, B&& b,
                                                                                                 C&& c, D&& d,
                                                                                                 More&&... more) {
  return spawn_in(nullptr, nullptr, source_location::current(), std::forward<F>(f), std::forward<A>(a),
                  std::forward<B>(b), std::forward<C>(c), std::forward<D>(d), std::forward<More>(more)...);
}

template <class F, class Arg, class... Args>
requires(!std::same_as<std::remove_cvref_t<Arg>, source_location> &&
         std::invocable<std::decay_t<F>, std::decay_t<Arg>, std::decay_t<Args>...>)
    [[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
        const detail::placed_attributes& how, F&& f, Arg&& arg, Args&&... args) {
  return spawn_in(nullptr, &how.wanted, how.site, std::forward<F>(f), std::forward<Arg>(arg),
                  std::forward<Args>(args)...);
}

// As spawn(), without a handle. The fiber belongs to the runtime, which cancels and joins it at its end; its
// result is dropped, its error goes to options::on_lost_error.
template <class F>
requires detail::spawnable<F>
void spawn_detached(F&& f, source_location site = source_location::current()) {
  detail::make_fiber(nullptr, nullptr, site, true, std::forward<F>(f));
}

template <class F>
requires detail::spawnable<F>
void spawn_detached(const attributes& wanted, F&& f, source_location site = source_location::current()) {
  detail::make_fiber(nullptr, &wanted, site, true, std::forward<F>(f));
}

template <class F, class A>
requires detail::spawnable_with<F, A>
void spawn_detached(F&& f, A&& a, source_location site = source_location::current()) {
  detail::make_fiber(nullptr, nullptr, site, true, std::forward<F>(f), std::forward<A>(a));
}
template <class F, class A, class B>
requires detail::spawnable_with<F, A, B>
void spawn_detached(F&& f, A&& a, B&& b, source_location site = source_location::current()) {
  detail::make_fiber(nullptr, nullptr, site, true, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
}
template <class F, class A, class B, class C>
requires detail::spawnable_with<F, A, B, C>
void spawn_detached(F&& f, A&& a, B&& b, C&& c, source_location site = source_location::current()) {
  detail::make_fiber(nullptr, nullptr, site, true, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c));
}
template <class F, class A, class B, class C, class D, class... More>
requires detail::spawnable_with<F, A, B, C, D, More...>
void spawn_detached(F&& f, A&& a, B&& b, C&& c, D&& d, More&&... more) {
  detail::make_fiber(nullptr, nullptr, source_location::current(), true, std::forward<F>(f), std::forward<A>(a),
                     std::forward<B>(b), std::forward<C>(c), std::forward<D>(d), std::forward<More>(more)...);
}

}  // namespace weft::inline v0
