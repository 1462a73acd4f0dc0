// Signals as something to wait for: the end of a server, a new configuration, a child that ended.
//
//   weft::signals ending({SIGINT, SIGTERM});
//   return weft::run([&] {
//     weft::select(weft::on_signal(ending, [](weft::signal_info) { std::puts("told to stop"); }),
//                  weft::on_join(server));
//   });
#pragma once

#include <weft/deadline.h>
#include <weft/detail/config.h>
#include <weft/detail/descriptor_select.h>
#include <weft/select.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

namespace weft::inline v0 {

namespace detail {
struct signal_source;
struct signals_access;
}  // namespace detail

// One signal. Zeroes stand for what its sender, or the system, does not tell.
struct signal_info {
  int number = 0;
  std::int32_t process = 0;  // The sender, or the child that SIGCHLD is about; 0 for the kernel.
  std::uint32_t user = 0;    // Of that process.
  std::int32_t value = 0;    // What sigqueue(3) sent along.
};

// Takes signals that are sent to the process, in place of what they would do.
//
// A signal comes here only where every thread of the process blocks it: else one that does not takes it, and most often
// the process ends. The constructor blocks the signals for the calling thread, and threads inherit that, as children of
// the process do. So make it in main() before anything begins a thread, or block its signals there (pthread_sigmask).
// weft's own threads block them in any case. They stay blocked when the object is gone: one that comes later waits for
// the next object.
//
// Not received: SIGKILL, SIGSTOP, what a thread does to itself (SIGSEGV, SIGABRT, ...), SIGPROF, and what is sent to one
//   thread (pthread_kill(3), and raise(3) on a thread of its own).
// Several of the same number that come before the first is received are one, unless sigqueue(3) sent them above SIGRTMIN.
// Where two objects take the same number, one of them receives it.
//
// Thread safety: one fiber at a time may wait, in a call or in a select; a second fails with device_or_resource_busy.
//   try_receive() may be called from anywhere.
// Errors: std::system_error: invalid_argument for a number that is not received, or none; operation_not_permitted if
//   another thread does not block a number (Linux), and for waits outside of fibers, or in a runtime while another one
//   uses the object; what the system refuses.
// Lifetime: may be made and destroyed outside of runtimes, and outlive them. Destroying it while it is waited for is an
//   error.
class WEFT_API signals {
 public:
  explicit signals(std::initializer_list<int> numbers)
      : signals(std::span<const int>(numbers.begin(), numbers.size())) {}
  explicit signals(std::span<const int> numbers);
  ~signals();
  signals(signals&&) noexcept;
  signals& operator=(signals&&) noexcept;

  // Waits for the next signal and takes it; of several, the system says which.
  // Cancel: throws weft::cancelled, or says operation_canceled; then it has taken none.
  signal_info receive();
  signal_info receive(std::error_code& ec) noexcept;

  // The same; empty at the deadline, which is no error.
  std::optional<signal_info> receive_until(deadline limit);
  std::optional<signal_info> receive_until(deadline limit, std::error_code& ec) noexcept;
  std::optional<signal_info> receive_for(deadline limit) { return receive_until(limit); }
  std::optional<signal_info> receive_for(deadline limit, std::error_code& ec) noexcept {
    return receive_until(limit, ec);
  }

  // A signal that has come already. Blocks: never.
  std::optional<signal_info> try_receive();

 private:
  friend struct detail::signals_access;

  std::unique_ptr<detail::signal_source> source_;
};

namespace detail {

struct signals_access {
  WEFT_API static const select_ops case_ops;
  // The object of a case.
  WEFT_API static descriptor* object_of(const signals& s) noexcept;
};

template <class F>
struct signal_case : select_case {
  F handler;
  signal_info value;
  explicit signal_case(F f) : handler(std::move(f)) {}
  void prepare() noexcept { place = std::addressof(value); }
  void run() { std::invoke(handler, value); }
};

}  // namespace detail

// A case of weft::select(): takes a signal and hands it to `handler(signal_info)`. A case that is not chosen takes none.
// Throws: select() throws as receive().
template <std::invocable<signal_info> F>
[[nodiscard]] auto on_signal(signals& from, F handler) {
  detail::signal_case<F> c(std::move(handler));
  detail::select_access::of_source(c, detail::signals_access::case_ops, detail::signals_access::object_of(from));
  return c;
}
// The same into `place`.
[[nodiscard]] inline auto on_signal(signals& from, signal_info& place) {
  return on_signal(from, [&place](signal_info value) { place = value; });
}

}  // namespace weft::inline v0
