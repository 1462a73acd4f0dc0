#include "platform/system_calls.h"

#include <cerrno>
#include <climits>

#ifdef __linux__
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#endif
#include <unistd.h>

namespace weft::inline v0::detail {
namespace {

template <class Result>
WEFT_ALWAYS_INLINE Result result_of(Result result) noexcept {
  return result == -1 ? static_cast<Result>(-errno) : result;
}

// One function for each call, never inlined: the address of errno cannot outlive it.
template <class Result, class... Arguments>
struct entry {
  template <Result (*Call)(Arguments...)>
  WEFT_NOINLINE static Result call(Arguments... arguments) noexcept {
    return result_of(Call(arguments...));
  }
};

template <class Result, class... Arguments>
entry<Result, Arguments...> entry_of(Result (*)(Arguments...));

template <auto Call>
constexpr auto real = &decltype(entry_of(Call))::template call<Call>;

// The calls with optional arguments have no type that a template could take.
WEFT_NOINLINE int real_open(const char* path, int flags, mode_t mode) noexcept {
  return result_of(::open(path, flags, mode));
}

WEFT_NOINLINE int real_openat(int directory, const char* path, int flags, mode_t mode) noexcept {
  return result_of(::openat(directory, path, flags, mode));
}

WEFT_NOINLINE int real_fcntl(int fd, int command, long argument) noexcept {
  return result_of(::fcntl(fd, command, argument));
}

WEFT_NOINLINE std::intptr_t real_mmap(void* hint, std::size_t size, int protection, int flags, int fd,
                                      off_t offset) noexcept {
  return result_of(reinterpret_cast<std::intptr_t>(::mmap(hint, size, protection, flags, fd, offset)));
}

// Rounded up, so that no wait ends early; -1 for a null timeout.
int to_milliseconds(const timespec* timeout) noexcept {
  if (timeout == nullptr) return -1;
  if (timeout->tv_sec >= INT_MAX / 1000) return INT_MAX;
  return static_cast<int>(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999'999) / 1'000'000);
}

#ifdef __linux__

WEFT_NOINLINE int real_poll(pollfd* descriptors, nfds_t count, const timespec* timeout) noexcept {
  return result_of(::ppoll(descriptors, count, timeout, nullptr));
}

// Kernel interfaces by number, the same on every architecture: libc may be older than the kernel.
constexpr long number_process_madvise = 440;
constexpr long number_pidfd_open = 434;
constexpr long number_epoll_pwait2 = 441;
constexpr std::size_t kernel_signal_set_size = 8;

atomic<bool> epoll_pwait2_is_missing{false};

WEFT_NOINLINE int real_epoll_pwait2(int queue, epoll_event* events, int capacity, const timespec* timeout,
                                    const sigset_t* mask) noexcept {
  static_assert(sizeof(timespec) == 16, "the kernel reads two 64-bit numbers");
  // Relaxed: a stale `false` costs one more refused call.
  if (!epoll_pwait2_is_missing.load(relaxed)) {
    const long result = ::syscall(number_epoll_pwait2, queue, events, capacity, timeout, mask, kernel_signal_set_size);
    // EPERM is never this call's own: it is what a container's filter says to numbers that it does not know.
    if (result >= 0) return static_cast<int>(result);
    if (errno != ENOSYS && errno != EPERM) return -errno;
    epoll_pwait2_is_missing.store(true, relaxed);
  }
  return result_of(::epoll_pwait(queue, events, capacity, to_milliseconds(timeout), mask));
}

WEFT_NOINLINE int real_futex(const void* word, int operation, std::uint32_t value, const timespec* timeout,
                             std::uint32_t mask) noexcept {
  return static_cast<int>(result_of(::syscall(SYS_futex, word, operation, value, timeout, nullptr, mask)));
}

WEFT_NOINLINE ssize_t real_process_madvise(int process, const iovec* ranges, std::size_t count, int advice,
                                           unsigned flags) noexcept {
  return result_of(::syscall(number_process_madvise, process, ranges, count, advice, flags));
}

WEFT_NOINLINE int real_pidfd_open(pid_t process, unsigned flags) noexcept {
  return static_cast<int>(result_of(::syscall(number_pidfd_open, process, flags)));
}

WEFT_NOINLINE int real_membarrier(int command, unsigned flags, int cpu) noexcept {
  return static_cast<int>(result_of(::syscall(SYS_membarrier, command, flags, cpu)));
}

WEFT_NOINLINE pid_t real_gettid() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

WEFT_NOINLINE int real_tgkill(pid_t process, pid_t thread, int number) noexcept {
  return static_cast<int>(result_of(::syscall(SYS_tgkill, process, thread, number)));
}

WEFT_NOINLINE int real_shadow_stack_status(unsigned long* features) noexcept {
#ifdef __x86_64__
  constexpr long arch_shstk_status = 0x5005;
  return static_cast<int>(result_of(::syscall(SYS_arch_prctl, arch_shstk_status, features)));
#else
  constexpr long pr_get_shadow_stack_status = 74;
  return static_cast<int>(result_of(::syscall(SYS_prctl, pr_get_shadow_stack_status, features, 0L, 0L, 0L)));
#endif
}

#else

WEFT_NOINLINE int real_poll(pollfd* descriptors, nfds_t count, const timespec* timeout) noexcept {
  return result_of(::poll(descriptors, count, to_milliseconds(timeout)));
}

#endif

#ifdef __APPLE__

// Sets what SOCK_CLOEXEC and SOCK_NONBLOCK ask for; until then another thread's fork() and exec() may take
// the descriptor along. Passes an error through.
int with_flags(int fd, int flags) noexcept {
  if (fd < 0) return fd;
  int error = 0;
  if ((flags & SOCK_CLOEXEC) != 0) error = result_of(::fcntl(fd, F_SETFD, FD_CLOEXEC));
  if (error >= 0 && (flags & SOCK_NONBLOCK) != 0) error = result_of(::fcntl(fd, F_SETFL, O_NONBLOCK));
  if (error >= 0) return fd;
  ::close(fd);
  return error;
}

WEFT_NOINLINE int real_socket(int domain, int type, int protocol) noexcept {
  const int plain_type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  return with_flags(result_of(::socket(domain, plain_type, protocol)), type);
}

WEFT_NOINLINE int real_accept4(int fd, sockaddr* address, socklen_t* size, int flags) noexcept {
  return with_flags(result_of(::accept(fd, address, size)), flags);
}

#else
constexpr auto real_socket = real<&::socket>;
constexpr auto real_accept4 = real<&::accept4>;
#endif

constexpr system_calls kernel = {
    .read = real<&::read>,
    .write = real<&::write>,
    .readv = real<&::readv>,
    .writev = real<&::writev>,
    .recv = real<&::recv>,
    .send = real<&::send>,
    .recvmsg = real<&::recvmsg>,
    .sendmsg = real<&::sendmsg>,
    .socket = real_socket,
    .bind = real<&::bind>,
    .listen = real<&::listen>,
    .accept4 = real_accept4,
    .connect = real<&::connect>,
    .shutdown = real<&::shutdown>,
    .getsockopt = real<&::getsockopt>,
    .setsockopt = real<&::setsockopt>,
    .getsockname = real<&::getsockname>,
    .getpeername = real<&::getpeername>,
    .open = real_open,
    .openat = real_openat,
    .close = real<&::close>,
    .fcntl = real_fcntl,
    .fstat = real<&::fstat>,
    .poll = real_poll,
    .mmap = real_mmap,
    .munmap = real<&::munmap>,
    .madvise = real<&::madvise>,
    .mprotect = real<&::mprotect>,
    .clock_gettime = real<&::clock_gettime>,
    .sched_yield = real<&::sched_yield>,
    .getpid = real<&::getpid>,
    .sigaction = real<static_cast<int (*)(int, const struct sigaction*, struct sigaction*)>(&::sigaction)>,
    .sigaltstack = real<&::sigaltstack>,
    .raise = real<&::raise>,
#ifdef __linux__
    .mincore = real<&::mincore>,
    .dup3 = real<&::dup3>,
    .sendfile = real<&::sendfile>,
    .epoll_create1 = real<&::epoll_create1>,
    .epoll_ctl = real<&::epoll_ctl>,
    .epoll_pwait2 = real_epoll_pwait2,
    .eventfd = real<&::eventfd>,
    .futex = real_futex,
    .process_madvise = real_process_madvise,
    .pidfd_open = real_pidfd_open,
    .sched_setaffinity = real<&::sched_setaffinity>,
    .sched_getaffinity = real<&::sched_getaffinity>,
    .membarrier = real_membarrier,
    .gettid = real_gettid,
    .tgkill = real_tgkill,
    .process_vm_readv = real<&::process_vm_readv>,
    .signalfd = real<&::signalfd>,
    .sigtimedwait = real<&::sigtimedwait>,
    .shadow_stack_status = real_shadow_stack_status,
#else
    .kqueue = real<&::kqueue>,
    .kevent = real<&::kevent>,
#endif
};

}  // namespace

WEFT_NOINLINE errno_keeper::errno_keeper() noexcept : kept_(errno) {}

WEFT_NOINLINE errno_keeper::~errno_keeper() { errno = kept_; }

constinit atomic<const system_calls*> active_system_calls{&kernel};

const system_calls& real_system_calls() noexcept { return kernel; }

const system_calls* exchange_system_calls(const system_calls* table) noexcept {
  // Pairs with sys(): the entries of `table` are seen with the pointer.
  return active_system_calls.exchange(table != nullptr ? table : &kernel, acq_rel);
}

}  // namespace weft::inline v0::detail
