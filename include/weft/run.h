// The shortest way into weft.
#pragma once

#include <weft/runtime.h>
#include <weft/spawn.h>

namespace weft::inline v0 {

namespace detail {
WEFT_API void refuse_run_inside_fiber();
}  // namespace detail

// Builds a runtime, runs `f()` as its first fiber, waits for it, cancels and joins what was spawned detached,
// takes the runtime down, and returns the result or throws what `f` threw. The calling thread waits; it does
// not become a worker.
//
// Throws: what the runtime's constructor throws.
// Blocks: thread. From inside a fiber it would block the core: throws std::system_error
// (resource_deadlock_would_occur).
template <class F>
requires std::invocable<std::decay_t<F>>
decltype(auto) run(const options& wanted, F&& f, source_location site = source_location::current()) {
  detail::refuse_run_inside_fiber();
  runtime here(wanted);
  detail::belongs_to_run(here);
  return here.spawn({.name = "main"}, std::forward<F>(f), site).join();
}

template <class F>
requires std::invocable<std::decay_t<F>>
decltype(auto) run(F&& f, source_location site = source_location::current()) {
  return run(options{}, std::forward<F>(f), site);
}

}  // namespace weft::inline v0
