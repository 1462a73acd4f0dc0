// The body of a scope's child: its place in the scope, and the closure.
#pragma once

#include <weft/cancelled.h>
#include <weft/detail/config.h>
#include <weft/detail/fiber_body.h>

#include <exception>
#include <functional>
#include <utility>

namespace weft::inline v0 {

class scope;

namespace detail {

class fiber_record;

enum class child_outcome : unsigned char { cancelled, success, failure };

// In the scope's list from construction to destruction, which is the last that the child does to the scope.
struct WEFT_API scope_link {
  scope_link(scope& its_owner, fiber_record* its_fiber, bool background);
  ~scope_link();
  scope_link(const scope_link&) = delete;
  scope_link& operator=(const scope_link&) = delete;

  void failed(std::exception_ptr error) noexcept;

  scope_link* next = nullptr;
  scope_link* previous = nullptr;
  scope& owner;
  fiber_record* const fiber;
  const bool is_background;
  bool is_told = false;
  child_outcome outcome = child_outcome::cancelled;
};

template <class F>
struct scope_child : scope_link {
  template <class G>
  scope_child(scope& its_owner, fiber_record* its_fiber, bool background, G&& g)
      : scope_link(its_owner, its_fiber, background), function(std::forward<G>(g)) {}

  void operator()() {
    try {
      static_cast<void>(std::invoke(std::move(function)));
      outcome = child_outcome::success;
    } catch (const cancelled&) {
      throw;
    } catch (...) {
      failed(std::current_exception());
    }
  }

  F function;  // Destroyed before the link: what it borrows is still there.
};

template <class F>
using scope_body = fiber_body<scope_child<F>, void>;

template <class F>
scope_link* link_of_body(void* body) noexcept {
  return &static_cast<scope_body<F>*>(body)->function;
}

template <class F>
inline constexpr body_type scope_body_type = [] {
  body_type type = body_type_of<scope_child<F>, void>;
  type.link_of = &link_of_body<F>;
  return type;
}();

}  // namespace detail
}  // namespace weft::inline v0
