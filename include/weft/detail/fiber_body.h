// How a closure of any type travels through the library: the record of a fiber and, behind it, its body.
#pragma once

#include <weft/attributes.h>
#include <weft/cancelled.h>
#include <weft/detail/callback.h>
#include <weft/detail/config.h>
#include <weft/detail/source_location.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

class runtime;

namespace detail {

class fiber_record;
struct scope_link;

// A record is followed by its body in one block, where both fit.
inline constexpr std::size_t record_bytes = 128;
inline constexpr std::size_t largest_record_block = 1024;

// What the library must know of a body.
struct body_type {
  void (*run)(void* body);                       // Calls the closure, keeps its result, destroys the closure.
  void (*destroy_closure)(void* body) noexcept;  // The closure, where it never ran.
  void (*destroy_result)(void* body) noexcept;   // The result, where run() returned; null for a trivial one.
  std::size_t bytes;
  std::size_t alignment;
  std::size_t body_offset;                                // In the block of the record.
  std::size_t block_bytes;                                // Of both; 0 where the body needs a block of its own.
  scope_link* (*link_of)(void* body) noexcept = nullptr;  // Of a scope's child; null for others.
};

// A new record with room for `type`; the caller constructs the body at body_of() and then calls launch(), or
// abandon() if the construction threw. `where` null: the runtime of the calling fiber; `wanted` null: the usual.
// Throws: std::invalid_argument (bad attributes), std::bad_alloc, std::system_error (not in a fiber, runtime stopped).
WEFT_API fiber_record* new_fiber(runtime* where, const attributes* wanted, const body_type& type, source_location site,
                                 bool is_detached);
WEFT_API void* body_of(fiber_record* fiber) noexcept;
WEFT_API void abandon(fiber_record* fiber) noexcept;
// Queues it. Throws: std::bad_alloc; then closure and record are gone.
WEFT_API void launch(fiber_record* fiber);

// Handles. `release` gives a reference up; `add_reference` takes another one.
WEFT_API void release_fiber(fiber_record* fiber) noexcept;
WEFT_API void add_reference(fiber_record* fiber) noexcept;
WEFT_API void cancel_and_join(fiber_record* fiber) noexcept;
WEFT_API void detach_fiber(fiber_record* fiber) noexcept;
WEFT_API void cancel_fiber(fiber_record* fiber, cancel_reason why) noexcept;
// Throws: std::system_error (invalid_argument) for no fiber; `callback` is taken in any case.
WEFT_API void on_fiber_done(fiber_record* fiber, callback_node* callback);
WEFT_API bool fiber_is_done(const fiber_record* fiber) noexcept;
WEFT_API bool fiber_was_cancelled(const fiber_record* fiber) noexcept;
WEFT_API std::uint64_t fiber_id(const fiber_record* fiber) noexcept;
WEFT_API std::string_view fiber_name(const fiber_record* fiber) noexcept;
// Waits for the end; false at the deadline (monotonic nanoseconds). Throws as fiber<R>::join() does for
// misuse and for the cancellation of the caller.
WEFT_API bool wait_fiber(fiber_record* fiber, std::int64_t deadline);
// After the end: whether there is a result; if not, throws what the fiber threw, once.
WEFT_API bool fiber_has_value(const fiber_record* fiber) noexcept;
[[noreturn]] WEFT_API void throw_fiber_outcome(fiber_record* fiber);
// Destroys the result, which was moved from, sooner than with the last reference.
WEFT_API void destroy_taken_result(fiber_record* fiber) noexcept;

template <class R>
struct result_slot {
  union {
    R value;
  };
  result_slot() noexcept {}
  ~result_slot() {}
  template <class F>
  void fill(F&& f) {
    ::new (const_cast<void*>(static_cast<const void*>(std::addressof(value)))) R(std::invoke(std::forward<F>(f)));
  }
  void destroy() noexcept { value.~R(); }
  R take() { return std::move(value); }
};

template <class R>
struct result_slot<R&> {
  R* value = nullptr;
  template <class F>
  void fill(F&& f) {
    value = std::addressof(std::invoke(std::forward<F>(f)));
  }
  void destroy() noexcept {}
  R& take() noexcept { return *value; }
};

template <>
struct result_slot<void> {
  template <class F>
  void fill(F&& f) {
    std::invoke(std::forward<F>(f));
  }
  void destroy() noexcept {}
  void take() noexcept {}
};

// The closure `F()` and its result. The closure is destroyed on the fiber, as soon as it has returned or thrown.
template <class F, class R>
struct fiber_body {
  [[no_unique_address]] result_slot<R> result;
  union {
    F function;
  };

  template <class... Args>
  explicit fiber_body(Args&&... args) : function(std::forward<Args>(args)...) {}
  ~fiber_body() {}

  static void run(void* body) {
    auto* const self = static_cast<fiber_body*>(body);
    struct closing {
      fiber_body* self;
      ~closing() { self->function.~F(); }
    } at_end{self};
    self->result.fill(std::move(self->function));
  }
  static void destroy_closure(void* body) noexcept { static_cast<fiber_body*>(body)->function.~F(); }
  static void destroy_result(void* body) noexcept { static_cast<fiber_body*>(body)->result.destroy(); }
};

template <class Body>
constexpr body_type describe_body(void (*run)(void*), void (*destroy_closure)(void*) noexcept,
                                  void (*destroy_result)(void*) noexcept) noexcept {
  constexpr bool fits = alignof(Body) <= 64 && record_bytes + sizeof(Body) <= largest_record_block;
  return {run,
          destroy_closure,
          destroy_result,
          sizeof(Body),
          alignof(Body),
          record_bytes,
          fits ? record_bytes + sizeof(Body) : 0,
          nullptr};
}

template <class F, class R>
inline constexpr body_type body_type_of = describe_body<fiber_body<F, R>>(
    &fiber_body<F, R>::run, &fiber_body<F, R>::destroy_closure,
    std::is_object_v<R> && !std::is_trivially_destructible_v<R> ? &fiber_body<F, R>::destroy_result : nullptr);

// A callable and its arguments, decayed, as std::thread keeps them.
template <class F, class... Args>
struct bound_call {
  std::tuple<F, Args...> parts;
  decltype(auto) operator()() && {
    return std::apply(
        [](auto&&... part) -> decltype(auto) { return std::invoke(std::forward<decltype(part)>(part)...); },
        std::move(parts));
  }
};

template <class F, class... Args>
using call_result = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;

template <class F, class... Args>
fiber_record* make_fiber(runtime* where, const attributes* wanted, source_location site, bool is_detached, F&& f,
                         Args&&... args) {
  using result = call_result<F, Args...>;
  using closure =
      std::conditional_t<sizeof...(Args) == 0, std::decay_t<F>, bound_call<std::decay_t<F>, std::decay_t<Args>...>>;
  using body = fiber_body<closure, result>;
  fiber_record* const fiber = new_fiber(where, wanted, body_type_of<closure, result>, site, is_detached);
  try {
    if constexpr (sizeof...(Args) == 0) {
      ::new (body_of(fiber)) body(std::forward<F>(f));
    } else {
      ::new (body_of(fiber)) body(closure{{std::forward<F>(f), std::forward<Args>(args)...}});
    }
  } catch (...) {
    abandon(fiber);
    throw;
  }
  launch(fiber);
  return fiber;
}

}  // namespace detail
}  // namespace weft::inline v0
