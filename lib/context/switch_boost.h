// The switch of Boost.Context, for every processor that it knows. See switch.h.
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

// What `entry` is called with.
using transfer = boost::context::detail::transfer_t;
using context_entry = void (*)(transfer);

WEFT_ALWAYS_INLINE arrival arrived(transfer in) noexcept { return {in.fctx, in.data}; }

WEFT_ALWAYS_INLINE arrival switch_to(saved_context to, void* message) noexcept {
  return arrived(boost::context::detail::jump_fcontext(to, message));
}

WEFT_ALWAYS_INLINE arrival start(std::byte* top, std::size_t size, context_entry entry, void* message) noexcept {
  return switch_to(boost::context::detail::make_fcontext(top, size, entry), message);
}

[[noreturn]] WEFT_ALWAYS_INLINE void exit_to(saved_context to, void* message) noexcept {
  boost::context::detail::jump_fcontext(to, message);
  __builtin_unreachable();
}

[[noreturn]] WEFT_ALWAYS_INLINE void exit_to_start(std::byte* top, std::size_t size, context_entry entry,
                                                   void* message) noexcept {
  exit_to(boost::context::detail::make_fcontext(top, size, entry), message);
}

}  // namespace weft::inline v0::detail
