// Waiting for descriptors that other libraries made and own: pipes, devices, sockets of a database's client.
//
//   weft::watched_descriptor input(PQsocket(connection));
//   input.wait_readable();
//   PQconsumeInput(connection);
#pragma once

#include <weft/deadline.h>
#include <weft/detail/descriptor_case.h>

#include <concepts>
#include <memory>

namespace weft::inline v0 {

namespace detail {
struct watched_access;
}

// A descriptor whose readiness fibers wait for. It reads, writes and closes nothing, and asks for nothing but a descriptor
// that can be polled: blocking ones are welcome, and regular files are always ready.
//
// Thread safety: one fiber may wait until it is readable while another waits until it is writable; a second wait for the
//   same fails with device_or_resource_busy. unwatch() and the getters may be called at any time, from any thread.
// Errors: std::system_error: operation_not_permitted outside of fibers of the runtime it was made in;
//   file_exists if the descriptor is watched, or belongs to a stream, already; what the system refuses to poll.
// Lifetime: unwatch(), or destroy it, before the descriptor is closed: else the next owner of the number is watched. May
//   outlive its runtime. Destroying it while it is waited for is an error.
class WEFT_API watched_descriptor {
 public:
  // Requires: the calling fiber's runtime is the one whose fibers wait. Throws: std::system_error.
  explicit watched_descriptor(int fd);
  ~watched_descriptor();
  watched_descriptor(watched_descriptor&&) noexcept;
  watched_descriptor& operator=(watched_descriptor&&) noexcept;

  // Waits until reading (for a listening socket: accepting) would not block, be it for an error or the end; at once if
  // it is not watched any more. Nothing is taken: somebody else who reads may leave nothing.
  // Cancel: throws weft::cancelled.
  void wait_readable() { wait_readable_until(deadline::never()); }
  // False at the deadline.
  bool wait_readable_until(deadline limit);
  bool wait_readable_for(deadline limit) { return wait_readable_until(limit); }

  // The same for writing (for a connecting socket: until that has succeeded or failed).
  void wait_writable() { wait_writable_until(deadline::never()); }
  bool wait_writable_until(deadline limit);
  bool wait_writable_for(deadline limit) { return wait_writable_until(limit); }

  // Ends the watch, and every wait. The descriptor stays open; it may be closed, and its number be watched anew, as soon as
  // this returns. Twice is no error.
  // Blocks: never.
  void unwatch() noexcept;

  int fd() const noexcept { return fd_; }
  bool is_watched() const noexcept;

 private:
  friend struct detail::watched_access;

  std::unique_ptr<detail::descriptor> watched_;
  int fd_;
};

namespace detail {
struct watched_access {
  static descriptor* of(watched_descriptor& d) noexcept { return d.watched_.get(); }
};
}  // namespace detail

// Cases of weft::select(): the descriptor is readable, or writable, in the words of wait_readable(). The select takes nothing
// from it, chosen or not. It waits in that direction as any other fiber: there can be one.
// Throws: select() throws as wait_readable().
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_readable(watched_descriptor& d, F handler = {}) {
  return detail::case_of_descriptor(detail::watched_access::of(d), detail::descriptor_case_ops::readable,
                                    std::move(handler));
}
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_writable(watched_descriptor& d, F handler = {}) {
  return detail::case_of_descriptor(detail::watched_access::of(d), detail::descriptor_case_ops::writable,
                                    std::move(handler));
}

}  // namespace weft::inline v0
