"""The gates: atomics, system calls, suspension and thread-local state each have one place."""

from source_tree import Finding

ATOMICS = ('include/weft/detail/atomic.h', 'include/weft/detail/chaos_atomic.h')
THREAD_LOCAL = ('lib/scheduler/here.h', 'lib/scheduler/here.cpp')
SYSTEM_CALLS = ('lib/platform/system_calls.h', 'lib/platform/system_calls.cpp')
SUSPENSION = ('lib/scheduler/suspend.h', 'lib/scheduler/suspend.cpp')
SUSPENSION_LAYER = 'lib/context/'

# Its eventually() polls a condition from a plain thread, up to a limit whose end is a failure: that proves nothing by time.
POLLS = ('tests/support/with_cores.h',)

# Calls into the system that weft makes through sys() only. tests/layers/check_symbols.py asks the linker for the
# same names, which no spelling escapes; here they are found without a build, in the forms that people write.
CALLS = (
    'read write readv writev pread pwrite recv recvfrom recvmsg send sendto sendmsg sendfile splice socket bind listen '
    'accept accept4 connect shutdown getsockopt setsockopt getsockname getpeername open openat close dup3 fcntl ioctl '
    'stat fstat lstat fstatat poll ppoll select mmap munmap madvise mprotect mremap mlock clock_gettime clock_nanosleep '
    'sched_yield sched_setaffinity sched_getaffinity getpid gettid epoll_create1 epoll_ctl epoll_wait epoll_pwait '
    'epoll_pwait2 eventfd signalfd timerfd_create timerfd_settime pipe pipe2 futex process_madvise pidfd_open membarrier '
    'kqueue kevent fork execve waitpid kill signal sigaction sigtimedwait prctl arch_prctl').split()
# Names that mean nothing else, so that they are refused without the leading `::` too.
UNMISTAKABLE = (
    'syscall epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 mmap munmap madvise mprotect eventfd signalfd '
    'accept4 getsockopt setsockopt sched_yield sched_setaffinity sched_getaffinity usleep nanosleep clock_gettime '
    'clock_nanosleep kevent kqueue sendfile sigaction').split()
HEADERS = (
    'sys/epoll.h sys/eventfd.h sys/event.h sys/signalfd.h sys/mman.h sys/syscall.h sys/timerfd.h linux/futex.h unistd.h '
    'poll.h pthread.h sched.h signal.h').split()
# Files of lib/platform that call the system by themselves: what the C library does for them is no system call of ours.
PLATFORM_THREADS = ('lib/platform/signal_set.cpp', 'lib/platform/thread.cpp', 'lib/platform/thread.h',
                    'lib/platform/thread_exit.cpp', 'lib/platform/process.cpp', 'lib/platform/futex_condition.cpp')
# AddressSanitizer wants to know where a thread's own stack lies; nothing else of weft asks.
STACK_BOUNDS = ('lib/context/sanitizer.cpp',)

# Clocks that somebody may set, and those of the C++ library, which no table of a test can replace.
_CLOCKS = (r'\bCLOCK_(?:REALTIME|TAI)\w*|\bFUTEX_CLOCK_REALTIME\b|\b(?:system|high_resolution|utc|tai|gps|file)_clock\b'
           r'|\bsteady_clock::now\b|\b(?:gettimeofday|timespec_get|ftime)\s*\(|(?<![\w>.:])(?:::|std::)?time\s*\(\s*(?:0|NULL|nullptr|&)')

_CALL = r'(?<![\w>.])(?:::)\s*(?:' + '|'.join(CALLS) + r')\s*\('
_UNMISTAKABLE = r'(?<![\w.>:*&])(?:' + '|'.join(UNMISTAKABLE) + r')\s*\('
_PTHREAD = r'\bpthread_\w+\s*\('


def atomics_have_one_door(tree):
    """std::atomic and its kin stand in the alias header alone, so that a model checker can take its place."""
    rule, found = 'atomics-gate', []
    for path in tree.code_files('lib/', 'include/'):
        if path in ATOMICS:
            continue
        found += [Finding(path, line, rule, '<atomic>: include <weft/detail/atomic.h>')
                  for line, _, name in tree.includes(path) if name in ('atomic', 'stdatomic.h')]
        found += tree.search(path, r'\bstd::(?:atomic|memory_order)\w*|\b__(?:atomic|sync)_\w+|\b_Atomic\b', rule,
                             'use the names of <weft/detail/atomic.h>')
    return found


def thread_local_has_one_door(tree):
    """A compiler keeps the address of a thread-local variable across a suspension; one accessor knows how not to."""
    return [f for path in tree.code_files('lib/', 'include/') if path not in THREAD_LOCAL
            for f in tree.search(path, r'\b(?:thread_local|__thread|_Thread_local)\b', 'thread-local-gate',
                                 'only ' + ' and '.join(THREAD_LOCAL) + ' may hold it')]


def system_calls_have_one_door(tree):
    """The system is called through sys(); nobody else reads errno."""
    rule, found = 'system-call-gate', []
    for path in tree.code_files('lib/', 'include/'):
        if path in SYSTEM_CALLS or path.startswith('include/weft/fiber_safe/'):
            continue
        in_platform = path.startswith('lib/platform/')
        why = 'call it through sys() of platform/system_calls.h'
        found += tree.search(path, _CALL, rule, why) + tree.search(path, _UNMISTAKABLE, rule, why)
        found += tree.search(path, r'(?<![\w.>])errno\b', rule, 'the table hands errors back as -errno')
        found += tree.search(path, r'\bstd::this_thread::sleep_\w+|\busleep\b', rule, 'wait on a futex or a timer')
        if path not in PLATFORM_THREADS + STACK_BOUNDS:
            found += tree.search(path, _PTHREAD, rule, 'threads are made in lib/platform')
        if not in_platform:
            found += [Finding(path, line, rule, f'<{name}>: only lib/platform includes it')
                      for line, _, name in tree.includes(path) if name in HEADERS and not (name == 'pthread.h' and path in STACK_BOUNDS)]
            found += tree.search(path, r'\bstd::j?thread\b(?!::)', rule, 'threads are made in lib/platform')
    return found


def time_has_one_door(tree):
    """Deadlines stay where they are when the system's clock is set: nothing reads it."""
    return [f for path in tree.code_files('lib/', 'include/')
            for f in tree.search(path, _CLOCKS, 'clock-gate', 'monotonic_now() of platform/clock.h tells the time')]


def suspension_has_one_door(tree):
    """Only the suspension gate leaves one stack for another."""
    found = []
    for path in tree.code_files('lib/', 'include/'):
        if path.startswith(SUSPENSION_LAYER) or path in SUSPENSION:
            continue
        found += tree.search(path, r'\b(?:jump|make|ontop)_fcontext\b|\b(?:switch_to|exit_to|exit_to_start)\s*\(',
                             'suspension-gate', 'only ' + ' and '.join(SUSPENSION) + ' may switch')
    return found


def tests_do_not_sleep(tree):
    """A test that sleeps proves nothing; tests/stress may, and a fiber of weft may sleep as it likes."""
    found = []
    for path in tree.code_files('tests/'):
        if not path.startswith('tests/stress/') and path not in POLLS:
            found += tree.search(path, r'(?<!this_fiber::)\b(?:sleep_for|sleep_until)\s*\(|\b(?:usleep|nanosleep|sleep)\s*\(',
                                 'no-sleep', 'wait for a counter or an event')
    return found


def tests_in_fibers_trace_no_thread(tree):
    """A trace belongs to the thread where it began, which a fiber may have left when it ends."""
    found = []
    for path in tree.code_files('tests/api/'):
        found += tree.search(path, r'\bSCOPED_TRACE\b\s*\(', 'fiber-trace', 'use failure_note')
    return found


RULES = (atomics_have_one_door, thread_local_has_one_door, system_calls_have_one_door, time_has_one_door,
         suspension_has_one_door, tests_do_not_sleep, tests_in_fibers_trace_no_thread)
