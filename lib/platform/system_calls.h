// The system-call gate: every call of weft into the operating system goes through this table, so that faults, a
// simulated network and virtual time can stand in for the kernel. What a library calls by itself (hwloc, libc's thread
// start) is outside.
//
// Returns: each entry returns what the call of the same name returns, or -errno. errno is read only inside the entry,
//   in the function that made the call: a fiber that resumes on another thread never sees a stale one. EINTR is handed
//   back as -EINTR; no entry retries.
// Thread safety: every entry may be called from any thread.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#ifdef __linux__
#include <sched.h>
#include <sys/epoll.h>
#else
#include <sys/event.h>
#endif

#include <cstddef>
#include <cstdint>

#include <weft/detail/atomic.h>

#ifdef __APPLE__
// Apple has no such flags; socket() and accept4() of the table understand these.
#define SOCK_NONBLOCK 0x20000000
#define SOCK_CLOEXEC 0x10000000
#endif

namespace weft::inline v0::detail {

struct system_calls {
  // Bytes.
  ssize_t (*read)(int fd, void* data, std::size_t size) noexcept;
  ssize_t (*write)(int fd, const void* data, std::size_t size) noexcept;
  ssize_t (*readv)(int fd, const iovec* parts, int count) noexcept;
  ssize_t (*writev)(int fd, const iovec* parts, int count) noexcept;
  ssize_t (*recv)(int fd, void* data, std::size_t size, int flags) noexcept;
  ssize_t (*send)(int fd, const void* data, std::size_t size,
                  int flags) noexcept;  // MSG_NOSIGNAL: the caller's.
  ssize_t (*recvmsg)(int fd, msghdr* message, int flags) noexcept;
  ssize_t (*sendmsg)(int fd, const msghdr* message, int flags) noexcept;

  // Sockets.
  int (*socket)(int domain, int type, int protocol) noexcept;
  int (*bind)(int fd, const sockaddr* address, socklen_t size) noexcept;
  int (*listen)(int fd, int backlog) noexcept;
  int (*accept4)(int fd, sockaddr* address, socklen_t* size, int flags) noexcept;  // Emulated where absent.
  int (*connect)(int fd, const sockaddr* address, socklen_t size) noexcept;
  int (*shutdown)(int fd, int how) noexcept;
  int (*getsockopt)(int fd, int level, int option, void* value, socklen_t* size) noexcept;
  int (*setsockopt)(int fd, int level, int option, const void* value, socklen_t size) noexcept;
  int (*getsockname)(int fd, sockaddr* address, socklen_t* size) noexcept;
  int (*getpeername)(int fd, sockaddr* address, socklen_t* size) noexcept;

  // Descriptors.
  int (*open)(const char* path, int flags, mode_t mode) noexcept;
  int (*openat)(int directory, const char* path, int flags, mode_t mode) noexcept;
  int (*close)(int fd) noexcept;  // Never call it again after -EINTR: the number may be someone else's by then.
  int (*fcntl)(int fd, int command, long argument) noexcept;
  int (*fstat)(int fd, struct stat* status) noexcept;
  // A null `timeout` waits without limit. Where ppoll is absent it rounds up to milliseconds.
  int (*poll)(pollfd* descriptors, nfds_t count, const timespec* timeout) noexcept;

  // Memory.
  std::intptr_t (*mmap)(void* hint, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept;
  int (*munmap)(void* address, std::size_t size) noexcept;
  int (*madvise)(void* address, std::size_t size, int advice) noexcept;
  int (*mprotect)(void* address, std::size_t size, int protection) noexcept;

  // Time, threads, process.
  int (*clock_gettime)(clockid_t clock, timespec* now) noexcept;
  int (*sched_yield)() noexcept;
  pid_t (*getpid)() noexcept;

  // Signals.
  int (*sigaction)(int number, const struct sigaction* wanted, struct sigaction* before) noexcept;
  int (*sigaltstack)(const stack_t* wanted, stack_t* before) noexcept;
  int (*raise)(int number) noexcept;  // To the calling thread.

#ifdef __linux__
  int (*mincore)(void* address, std::size_t size, unsigned char* pages) noexcept;
  int (*dup3)(int from, int to, int flags) noexcept;
  ssize_t (*sendfile)(int to, int from, off_t* offset, std::size_t size) noexcept;
  int (*epoll_create1)(int flags) noexcept;
  int (*epoll_ctl)(int queue, int operation, int fd, epoll_event* event) noexcept;
  // A null `timeout` waits without limit. On kernels before 5.11 it rounds up to milliseconds.
  int (*epoll_pwait2)(int queue, epoll_event* events, int capacity, const timespec* timeout,
                      const sigset_t* mask) noexcept;
  int (*eventfd)(unsigned initial, int flags) noexcept;
  // `timeout` is relative for FUTEX_WAIT, absolute (CLOCK_MONOTONIC) for FUTEX_WAIT_BITSET, unused for wakes.
  int (*futex)(const void* word, int operation, std::uint32_t value, const timespec* timeout,
               std::uint32_t mask) noexcept;
  ssize_t (*process_madvise)(int process, const iovec* ranges, std::size_t count, int advice, unsigned flags) noexcept;
  int (*pidfd_open)(pid_t process, unsigned flags) noexcept;
  int (*sched_setaffinity)(pid_t thread, std::size_t size, const cpu_set_t* mask) noexcept;
  int (*sched_getaffinity)(pid_t thread, std::size_t size, cpu_set_t* mask) noexcept;
  int (*membarrier)(int command, unsigned flags, int cpu) noexcept;
  pid_t (*gettid)() noexcept;
  int (*tgkill)(pid_t process, pid_t thread, int number) noexcept;
  // Reads memory of this process as the kernel sees it: a bad address is an error instead of a fault.
  ssize_t (*process_vm_readv)(pid_t process, const iovec* to, unsigned long to_count, const iovec* from,
                              unsigned long from_count, unsigned long flags) noexcept;
  int (*signalfd)(int fd, const sigset_t* mask, int flags) noexcept;
  int (*sigtimedwait)(const sigset_t* wanted, siginfo_t* info, const timespec* timeout) noexcept;
  // arch_prctl(ARCH_SHSTK_STATUS) on x86-64, prctl(PR_GET_SHADOW_STACK_STATUS) elsewhere: features of this thread.
  int (*shadow_stack_status)(unsigned long* features) noexcept;
#else
  int (*kqueue)() noexcept;
  int (*kevent)(int queue, const struct kevent* changes, int change_count, struct kevent* events, int capacity,
                const timespec* timeout) noexcept;
#endif
};

extern atomic<const system_calls*> active_system_calls;

// Returns: the active table; usable before main and in static destructors.
// Ordering: acquire pairs with the exchange, so the entries of a table that a test built are seen whole.
inline const system_calls& sys() noexcept { return *active_system_calls.load(acquire); }

// Keeps the interrupted code's errno, in a signal handler.
class errno_keeper {
 public:
  errno_keeper() noexcept;
  ~errno_keeper();
  errno_keeper(const errno_keeper&) = delete;
  errno_keeper& operator=(const errno_keeper&) = delete;

 private:
  int kept_;
};

// Returns: the table that calls the kernel.
const system_calls& real_system_calls() noexcept;

// Makes `table` the active one (null: the real one) and returns the one before. For tests: copy the real
// table, replace entries, exchange, and exchange back.
// Lifetime: `table` outlives every call that may have read it: exchange back only when no other thread uses
//   weft, or make `table` static.
const system_calls* exchange_system_calls(const system_calls* table) noexcept;

}  // namespace weft::inline v0::detail
