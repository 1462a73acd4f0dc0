// Socket calls that move less than they could, are interrupted, or find nothing though there is something.
//
// The kernel tells of readiness once (edge-triggered), and promises that a call which moved less than it was asked to
// has found the end of what there was. So after each shortened or refused transfer the descriptor is armed again, as
// if the rest had come a moment later.
#pragma once

#include "faults/injected_faults.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

namespace weft_test {

// How the poller knows each descriptor.
class armed_descriptors {
 public:
  static void remember(int queue, int fd, const epoll_event& as) noexcept {
    const std::scoped_lock hold(lock_);
    if (static_cast<std::size_t>(fd) < known_.size()) known_[static_cast<std::size_t>(fd)] = {queue, as};
  }
  static void forget(int fd) noexcept {
    const std::scoped_lock hold(lock_);
    if (static_cast<std::size_t>(fd) < known_.size()) known_[static_cast<std::size_t>(fd)].queue = 0;
  }
  static void arm_again(int fd) noexcept {
    const std::scoped_lock hold(lock_);
    if (static_cast<std::size_t>(fd) >= known_.size()) return;
    entry& e = known_[static_cast<std::size_t>(fd)];
    if (e.queue > 0) weft::detail::real_system_calls().epoll_ctl(e.queue, EPOLL_CTL_MOD, fd, &e.as);
  }

 private:
  struct entry {
    int queue;
    epoll_event as;
  };
  static inline std::mutex lock_;
  static inline std::array<entry, 4096> known_{};  // Zero is standard input, and no queue.
};

// How a due transfer goes wrong: a third each.
enum class mishap { none, interrupted, nothing_yet, shortened };

inline mishap next_mishap() noexcept {
  if (!fault_is_due()) return mishap::none;
  static constexpr mishap kinds[] = {mishap::interrupted, mishap::nothing_yet, mishap::shortened};
  return kinds[fault_plan::failed % 3];
}

// `transfer(most)` moves at most so many bytes.
template <class Transfer>
ssize_t with_mishap(int fd, std::size_t size, Transfer transfer) noexcept {
  switch (next_mishap()) {
    case mishap::interrupted:
      return -EINTR;
    case mishap::nothing_yet:
      armed_descriptors::arm_again(fd);
      return -EAGAIN;
    case mishap::shortened: {
      const ssize_t moved = transfer(std::max<std::size_t>(1, size / 7));
      armed_descriptors::arm_again(fd);
      return moved;
    }
    default:
      return transfer(size);
  }
}

// The first of several parts, cut to `most` bytes; enough for a shortened call.
inline ssize_t with_parts(int fd, const msghdr* message, int flags,
                          ssize_t (*call)(int, const msghdr*, int) noexcept) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) size += message->msg_iov[i].iov_len;
  return with_mishap(fd, size, [&](std::size_t most) {
    if (most == size || message->msg_iovlen == 0) return call(fd, message, flags);
    iovec first = message->msg_iov[0];
    first.iov_len = std::min(first.iov_len, most);
    msghdr cut = *message;
    cut.msg_iov = &first;
    cut.msg_iovlen = 1;
    return call(fd, &cut, flags);
  });
}

inline void mishandle_transfers(weft::detail::system_calls& table) {
  using weft::detail::real_system_calls;
  table.epoll_ctl = [](int queue, int operation, int fd, epoll_event* event) noexcept {
    if (operation == EPOLL_CTL_DEL) armed_descriptors::forget(fd);
    const int result = real_system_calls().epoll_ctl(queue, operation, fd, event);
    if (operation == EPOLL_CTL_ADD && result == 0) armed_descriptors::remember(queue, fd, *event);
    return result;
  };
  table.close = [](int fd) noexcept {
    armed_descriptors::forget(fd);
    return real_system_calls().close(fd);
  };
  table.recv = [](int fd, void* data, std::size_t size, int flags) noexcept {
    return with_mishap(fd, size, [&](std::size_t most) { return real_system_calls().recv(fd, data, most, flags); });
  };
  table.send = [](int fd, const void* data, std::size_t size, int flags) noexcept {
    return with_mishap(fd, size, [&](std::size_t most) { return real_system_calls().send(fd, data, most, flags); });
  };
  table.sendmsg = [](int fd, const msghdr* message, int flags) noexcept {
    return with_parts(fd, message, flags,
                      [](int to, const msghdr* m, int f) noexcept { return real_system_calls().sendmsg(to, m, f); });
  };
  table.recvmsg = [](int fd, msghdr* message, int flags) noexcept {
    return with_parts(fd, message, flags, [](int from, const msghdr* m, int f) noexcept {
      msghdr into = *m;
      return real_system_calls().recvmsg(from, &into, f);
    });
  };
  table.sendfile = [](int to, int from, off_t* offset, std::size_t size) noexcept {
    return with_mishap(to, size,
                       [&](std::size_t most) { return real_system_calls().sendfile(to, from, offset, most); });
  };
  table.accept4 = [](int fd, sockaddr* address, socklen_t* size, int flags) noexcept {
    if (!fault_is_due()) return real_system_calls().accept4(fd, address, size, flags);
    static constexpr int errors[] = {EINTR, ECONNABORTED, EMFILE, ENETDOWN, EAGAIN};
    const int error = errors[fault_plan::failed % std::size(errors)];
    if (error == EAGAIN) armed_descriptors::arm_again(fd);
    return -error;
  };
}

}  // namespace weft_test
