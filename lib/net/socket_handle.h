// A descriptor of the reactor that may be closed while another thread makes a short call on it.
//
// Roles: *waiting users* go through perform(), which the descriptor itself guards; *short users* (options,
//   shutdown, names) go through use(); anyone closes.
// Invariant: the number is not closed, and so not given to another file, while a short user holds it.
// Protocol: one word counts short users and holds a closed bit. use() enters only while the bit is clear;
//   close() sets the bit once, and closes the descriptor itself where nobody is inside, else the last short
//   user does. Short users never block, so that is soon.
#pragma once

#include "reactor/descriptor.h"

#include <weft/detail/atomic.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weft::inline v0::detail {

class socket_handle {
 public:
  socket_handle() noexcept = default;
  socket_handle(const socket_handle&) = delete;
  socket_handle& operator=(const socket_handle&) = delete;

  // Takes ownership of `fd`: 0, or an errno value with `fd` closed. Once, before anything is shared.
  int adopt(int fd) noexcept {
    const int error = descriptor::adopt(fd, descriptor_);
    if (error == 0) fd_ = fd;
    return error;
  }

  template <class Attempt>
  std::ptrdiff_t perform(direction d, std::int64_t deadline, std::size_t asked, Attempt&& attempt) {
    return descriptor_.perform(d, deadline, asked, std::forward<Attempt>(attempt));
  }

  // Calls call(fd) once and returns its result; -EBADF when closed. Requires: the call does not block.
  template <class Call>
  auto use(Call&& call) noexcept -> decltype(call(0)) {
    if (!enter()) return -EBADF;
    const auto result = call(fd_);
    leave();
    return result;
  }

  void close() noexcept {
    const std::uint32_t before = state_.fetch_or(closed_bit, acq_rel);  // Pairs with enter() and leave().
    if (before == 0) descriptor_.close();
  }

  // For cases of a select.
  descriptor& watched() noexcept { return descriptor_; }

  bool is_open() const noexcept { return fd() >= 0; }
  int fd() const noexcept { return is_closed() ? -1 : fd_; }

 private:
  static constexpr std::uint32_t closed_bit = 1;
  static constexpr std::uint32_t one_user = 2;

  // Acquire: pairs with close(), so that who sees the bit does not touch the descriptor.
  bool is_closed() const noexcept { return (state_.load(acquire) & closed_bit) != 0; }

  bool enter() noexcept {
    std::uint32_t seen = state_.load(relaxed);  // A stale value only makes the exchange fail.
    do {
      if ((seen & closed_bit) != 0) return false;
    } while (!state_.compare_exchange_weak(seen, seen + one_user, acq_rel, relaxed));  // Pairs with close().
    return true;
  }

  void leave() noexcept {
    // Release: what the call did to the socket is before the close that another short user, or this one, makes.
    if (state_.fetch_sub(one_user, acq_rel) == (closed_bit | one_user)) descriptor_.close();
  }

  descriptor descriptor_;
  int fd_ = -1;  // Constant after adopt(); the descriptor's own goes with its close.
  atomic<std::uint32_t> state_{0};
};

}  // namespace weft::inline v0::detail
