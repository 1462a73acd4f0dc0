// A non-blocking descriptor whose calls wait as fibers do.
//
// Protocol of a call: enter the slot (closing and other generations turn away); try the system call unless the
//   direction is known to be drained; where nothing is left, mark it drained, with the tick seen before the call, and
//   wait; leave. A call whose deadline has passed tries once more.
// Protocol of close(): mark the slot closing, close the file, close both readiness words, wake who waits; the last user to
//   leave closes the number, so that it is never reused while a call may still name it. The file does not wait for that:
//   a listener's address is free, and a stream's peer told, when close() is over. Until the last user leaves, the number
//   names nothing (close_file_of()).
// Protocol of the poller: the owner of a lent number may close it, and open it anew, as soon as close() is over, whoever
//   still uses the slot; and the file of an owned one cannot be named to the poller any more. So a close() beside users
//   takes the slot out itself, as any of a lent number does, and afterwards no user puts it in or takes it out:
//
//     close()                                      a user that has to wait
//     mark the slot closing                        registered already? done
//     take slot::registering                       take slot::registering
//     registered? take it out of the poller        closing? then leave it
//     drop the lock                                else put it into the poller, and note where
//     close both words                             drop the lock; look at the word, and wait in it
//
//   Whoever has the lock first decides: close() finds an earlier user's note, and a later user finds the mark. A user that
//   has left it, or relied on a note that is taken back, meets the closed word, or waits in it until it is closed. The
//   lock is held over a call of the system, since looking at the mark and adding the number must be one step; only users
//   of the same slot could wait for it. A plain thread takes the table's lock inside it, so that the runtime does not end
//   meanwhile; the end of a runtime takes all notes back.
//   What a user may still do with a lent number is poll(2): the closed word then says more than the answer.
#pragma once

#include "reactor/reactor.h"
#include "scheduler/wait.h"

#include <cerrno>
#include <cstddef>
#include <utility>

namespace weft::inline v0::detail {

// Owns one descriptor, or has borrowed it. Registered edge-triggered, for both directions, with the reactor of the core where a call first
// has to wait; one that never waits is never registered.
//
// Thread safety: calls of both directions and close() may be under way at once; of one direction only one can wait, the
//   next gets -EBUSY. Moving and destroying are for one owner, while no call is under way.
class descriptor {
 public:
  descriptor() noexcept = default;
  descriptor(descriptor&& other) noexcept
      : slot_(std::exchange(other.slot_, nullptr)),
        slots_(std::exchange(other.slots_, nullptr)),
        generation_(other.generation_) {}
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { let_go(); }

  // Takes `fd`, which is O_NONBLOCK and O_CLOEXEC, into `out`.
  // Returns: 0; EPERM outside of fibers, ENOMEM; then `fd` is closed.
  static int adopt(int fd, descriptor& out) noexcept;

  // The same without ownership: only its readiness is asked for, and close() and failures leave `fd` open. It may block.
  static int borrow(int fd, descriptor& out) noexcept;

  bool is_open() const noexcept;
  bool has_lost_runtime() const noexcept { return slots_ != nullptr && slots_->owner() == nullptr; }
  // Whether the caller is a fiber of the runtime that it belongs to.
  bool is_of_this_runtime() const noexcept;
  int fd() const noexcept { return is_open() ? slot_->fd : -1; }  // -1 when empty or closed.

  // Waiting calls return -EBADF. Idempotent. Returns: 0, or what close(2) said where it was done at once.
  int close() noexcept;

  // Calls `attempt(fd)`, which returns a count or -errno, until that is not -EAGAIN. A result below `asked` says that
  // nothing is left; 0 for calls of which that is not true.
  // Returns: the attempt's result; -ETIMEDOUT at `deadline` (ns); -ECANCELED; -EBADF, closed; -EBUSY, another fiber
  //   waits in this direction; -EPERM, not a fiber; what registering failed with.
  template <class Attempt>
  std::ptrdiff_t perform(direction d, std::int64_t deadline, std::size_t asked, Attempt&& attempt) noexcept {
    const use by_us(*this);
    if (by_us.error != 0) return -by_us.error;
    slot& s = *slot_;
    readiness& word = s.of(d);
    for (;;) {
      const readiness::state seen = word.load();
      if (seen.is_ready()) {
        const std::ptrdiff_t result = attempt(s.fd);
        if (result == -EINTR) continue;
        if (result != -EAGAIN) {
          if (result > 0 && static_cast<std::size_t>(result) < asked) drained(s, d, seen);
          spend_budget();
          return result;
        }
        if (!word.drain(seen)) continue;
      }
      if (const int error = wait_ready(s, d, deadline)) {
        return error == ETIMEDOUT ? last_attempt(s, word, attempt) : -error;
      }
    }
  }

  // Waits for the next event of `d`. Returns: 0 or as perform(), as positive errno.
  int wait(direction d, std::int64_t deadline) noexcept;

  // Waits until a call in direction `d` would not wait, as poll(2) says, and takes nothing.
  // Returns: 0 or as perform(), as positive errno.
  int wait_until_possible(direction d, std::int64_t deadline) noexcept;

 private:
  friend struct descriptor_cases;

  // One call on the slot, from entry to exit.
  struct use {
    explicit use(const descriptor& handle) noexcept;
    ~use();
    use(const use&) = delete;
    use& operator=(const use&) = delete;

    const descriptor& of;
    bool is_counted = false;
    int error = 0;
  };
  void let_go() noexcept;

  // The event of what has come may still be with the kernel when the deadline has passed: events are taken by the batch, and
  // timers run in between.
  template <class Attempt>
  WEFT_COLD static std::ptrdiff_t last_attempt(slot& s, readiness& word, Attempt& attempt) noexcept {
    if (word.load().is_closed()) return -ETIMEDOUT;
    std::ptrdiff_t result = -EINTR;
    while (result == -EINTR) result = attempt(s.fd);
    return result == -EAGAIN ? -ETIMEDOUT : result;
  }

  static int take_slot(int fd, bool is_lent, descriptor& out) noexcept;
  static void drained(slot& s, direction d, readiness::state seen) noexcept;
  static void spend_budget() noexcept;
  static int wait_ready(slot& s, direction d, std::int64_t deadline) noexcept;
  static int ensure_registered(slot& s) noexcept;
  WEFT_COLD static int put_into_poller(slot& s) noexcept;
  static int finish_close(slot& s, slot_table& slots) noexcept;

  slot* slot_ = nullptr;
  slot_table* slots_ = nullptr;
  std::uint32_t generation_ = 0;
};

}  // namespace weft::inline v0::detail
