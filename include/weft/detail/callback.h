// A function that somebody else calls later, once: its node lies on the heap, in front of the function.
#pragma once

#include <weft/detail/config.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft::inline v0::detail {

struct callback_node;

struct callback_type {
  void (*call)(void* function);
  void (*destroy)(void* function) noexcept;
  std::size_t bytes;
  std::size_t alignment;
};

// A node with room for a function, which the caller constructs at function_of(); abandon() if that throws. Whom the
// node is then handed to calls the function or does not, and frees both in any case.
// Throws: std::bad_alloc.
WEFT_API callback_node* new_callback(const callback_type& type);
WEFT_API void* function_of(callback_node* node) noexcept;
WEFT_API void abandon(callback_node* node) noexcept;

template <class F>
inline constexpr callback_type callback_type_of = {
    [](void* f) { static_cast<void>(std::invoke(std::move(*static_cast<F*>(f)))); },
    [](void* f) noexcept { static_cast<F*>(f)->~F(); }, sizeof(F), alignof(F)};

template <class F>
concept callback_function = std::invocable<std::decay_t<F>>;

template <callback_function F>
callback_node* make_callback(F&& f) {
  using function = std::decay_t<F>;
  callback_node* const node = new_callback(callback_type_of<function>);
  try {
    ::new (function_of(node)) function(std::forward<F>(f));
  } catch (...) {
    abandon(node);
    throw;
  }
  return node;
}

}  // namespace weft::inline v0::detail
