// Raw readiness of descriptors, on epoll or kqueue. It knows no fibers: it hands back the tokens that it was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::inline v0::detail {

// What became ready on one descriptor since it was last reported. An error or a hang-up makes both directions
// ready, since either call returns at once then. A peer that has closed only its sending side makes the
// descriptor readable and `read_closed`, and is no hang-up.
struct ready_event {
  static constexpr std::uint32_t readable_flag = 1;
  static constexpr std::uint32_t writable_flag = 2;
  static constexpr std::uint32_t hangup_flag = 4;
  static constexpr std::uint32_t error_flag = 8;
  static constexpr std::uint32_t read_closed_flag = 16;
  static constexpr std::uint32_t urgent_flag = 32;  // A stream's urgent mark cuts reads short.

  std::uint64_t token;
  std::uint32_t flags;

  bool readable() const noexcept { return (flags & readable_flag) != 0; }
  bool writable() const noexcept { return (flags & writable_flag) != 0; }
  bool hangup() const noexcept { return (flags & hangup_flag) != 0; }
  bool error() const noexcept { return (flags & error_flag) != 0; }
  bool urgent() const noexcept { return (flags & urgent_flag) != 0; }
  bool read_closed() const noexcept { return (flags & read_closed_flag) != 0; }
};

// Edge-triggered readiness of any number of descriptors.
//
// Thread safety: add(), remove(), wake() and wait_unconsumed() may be called by any thread at any time;
//   wait() and woken() by one thread at a time (the holder of the lead).
// Lifetime: after fork() the child shares the kernel's queue with its parent: it must not touch the poller.
class poller {
 public:
  // At most this many events come out of one wait().
  static constexpr std::size_t max_batch = 128;
  // No descriptor may use this token.
  static constexpr std::uint64_t reserved_token = ~std::uint64_t{0};

  // Throws: std::system_error naming the call that failed (EMFILE, ENFILE, ENOMEM).
  poller();
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  // Watches both directions of `fd`, edge-triggered, until remove() or until the last copy of `fd` is closed. What is
  // ready already is reported by the next wait(). A descriptor is added once.
  // Returns: 0 or an errno value: EEXIST when it is there already, EPERM for what cannot be polled (regular
  //   files), EINVAL for the reserved token, EBADF, ENOMEM, ENOSPC.
  int add(int fd, std::uint64_t token) noexcept;

  // Stops watching `fd`. Events that a wait() running at the same time has already fetched may still come out.
  // Returns: 0 or an errno value: ENOENT when it was not there, EBADF.
  int remove(int fd) noexcept;

  // Fetches events, waiting for the first of them until `deadline` (monotonic nanoseconds): not at all for 0 or a
  // moment that has passed, without limit for `never`. The directions of one descriptor may come as one event or as
  // two.
  // Returns: how many of `events` were filled, 0 also after a wake(); or -errno (EINVAL when `events` is empty). A signal
  //   does not end it.
  // Blocks: thread.
  int wait(std::span<ready_event> events, std::int64_t deadline) noexcept;

  // Whether the last wait() consumed a wake().
  bool woken() const noexcept { return woken_; }

  // Makes the wait() that is running return, or else the next one; several before that count as one.
  // Blocks: never.
  // Ordering: the wait() that returns by it sees what was done before: the kernel's lock of the queue lies between, and
  //   reactor::stop() counts on that. For more than that the caller's protocol brings its own.
  void wake() noexcept;

  // Waits until wait() would have something to fetch (an event or a wake()), and leaves it there.
  // Returns: 1 when there is something, 0 at `deadline`, or -errno. A signal does not end it.
  // Blocks: thread.
  int wait_unconsumed(std::int64_t deadline) noexcept;

 private:
  int queue_;
  [[maybe_unused]] int wake_;  // eventfd; -1 where the queue itself can be triggered.
  bool woken_ = false;
};

}  // namespace weft::inline v0::detail
