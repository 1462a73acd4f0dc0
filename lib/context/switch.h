// The three verbs that move the processor from one stack to another.
//
// A context is what a stack needs to go on: callee-saved registers and the place to return to. It lives on
// its own stack; `saved_context` points at it and is valid for exactly one resumption. Floating-point control
// words: the Boost.Context backend keeps them per context.
//
// Only the scheduler's one suspension function may call these.
#pragma once

#include <boost/context/detail/fcontext.hpp>

#include <weft/detail/config.h>

#include <cstddef>

namespace weft::inline v0::detail {

using saved_context = boost::context::detail::fcontext_t;

// What the resumed side sees: where it came from, and the word it was handed.
struct arrival {
  saved_context from;
  void* message;
};

using context_entry = void (*)(boost::context::detail::transfer_t);

// Saves the caller's context, resumes `to` and hands it `message`. Returns when somebody resumes the caller.
WEFT_ALWAYS_INLINE arrival switch_to(saved_context to, void* message) noexcept {
  const boost::context::detail::transfer_t in = boost::context::detail::jump_fcontext(to, message);
  return {in.fctx, in.data};
}

// Saves the caller's context and calls `entry` on the empty stack below `top`. `entry` never returns.
WEFT_ALWAYS_INLINE arrival start(std::byte* top, std::size_t size, context_entry entry, void* message) noexcept {
  return switch_to(boost::context::detail::make_fcontext(top, size, entry), message);
}

// Leaves the caller's stack for good.
[[noreturn]] WEFT_ALWAYS_INLINE void exit_to(saved_context to, void* message) noexcept {
  boost::context::detail::jump_fcontext(to, message);
  __builtin_unreachable();
}

// As exit_to(), into an empty stack.
[[noreturn]] WEFT_ALWAYS_INLINE void exit_to_start(std::byte* top, std::size_t size, context_entry entry,
                                                   void* message) noexcept {
  exit_to(boost::context::detail::make_fcontext(top, size, entry), message);
}

WEFT_ALWAYS_INLINE arrival arrived(boost::context::detail::transfer_t in) noexcept { return {in.fctx, in.data}; }

}  // namespace weft::inline v0::detail
