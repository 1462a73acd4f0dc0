// What the epoll poller asks of the kernel, and what it makes of faults.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

#include "platform/clock.h"
#include "platform/poller.h"
#include "support/replaced_system_calls.h"

namespace {

using namespace weft::detail;
using weft_test::replaced_system_calls;

int calls_made = 0;
std::int64_t timeout_seen = 0;

int record_timeout(int, epoll_event*, int, const timespec* timeout, const sigset_t*) noexcept {
  timeout_seen = timeout == nullptr ? never : timeout->tv_sec * 1'000'000'000 + timeout->tv_nsec;
  return 0;
}

TEST(poller_epoll, asks_for_the_time_that_is_left) {
  poller engine;
  const replaced_system_calls table([](system_calls& calls) { calls.epoll_pwait2 = record_timeout; });
  std::array<ready_event, 4> events;
  engine.wait(events, never);
  EXPECT_EQ(timeout_seen, never);
  engine.wait(events, 0);
  EXPECT_EQ(timeout_seen, 0);
  engine.wait(events, 1);
  EXPECT_EQ(timeout_seen, 0);
  engine.wait(events, deadline_after(3'600'000'000'000));
  EXPECT_GT(timeout_seen, 3'500'000'000'000);
  EXPECT_LE(timeout_seen, 3'600'000'000'000);
}

// Interrupted twice, with so much time used up each time.
int interrupt_twice(int, epoll_event*, int, const timespec* timeout, const sigset_t*) noexcept {
  record_timeout(0, nullptr, 0, timeout, nullptr);
  if (++calls_made > 2) return 0;
  const std::int64_t until = monotonic_now() + 1'000'000;
  while (monotonic_now() < until) {
  }
  return -EINTR;
}

TEST(poller_epoll, a_signal_ends_no_wait) {
  poller engine;
  const replaced_system_calls table([](system_calls& calls) {
    calls.epoll_pwait2 = interrupt_twice;
    calls.poll = [](pollfd*, nfds_t, const timespec*) noexcept { return ++calls_made > 2 ? 1 : -EINTR; };
  });
  std::array<ready_event, 4> events;
  calls_made = 0;
  EXPECT_EQ(engine.wait(events, deadline_after(3'600'000'000'000)), 0);
  EXPECT_EQ(calls_made, 3);
  EXPECT_LE(timeout_seen, 3'600'000'000'000 - 2'000'000);
  calls_made = 0;
  EXPECT_EQ(engine.wait(events, never), 0);
  EXPECT_EQ(timeout_seen, never);
  calls_made = 0;
  EXPECT_EQ(engine.wait_unconsumed(never), 1);
  EXPECT_EQ(calls_made, 3);
}

TEST(poller_epoll, other_errors_are_handed_on) {
  poller engine;
  const replaced_system_calls table([](system_calls& calls) {
    calls.epoll_pwait2 = [](int, epoll_event*, int, const timespec*, const sigset_t*) noexcept { return -EBADF; };
    calls.poll = [](pollfd*, nfds_t, const timespec*) noexcept { return -ENOMEM; };
    calls.epoll_ctl = [](int, int, int, epoll_event*) noexcept { return -ENOSPC; };
  });
  std::array<ready_event, 4> events;
  EXPECT_EQ(engine.wait(events, never), -EBADF);
  EXPECT_EQ(engine.wait_unconsumed(never), -ENOMEM);
  EXPECT_EQ(engine.add(0, 1), ENOSPC);
  EXPECT_EQ(engine.remove(0), ENOSPC);
}

TEST(poller_epoll, a_wake_survives_a_signal) {
  poller engine;
  calls_made = 0;
  std::array<ready_event, 4> events;
  {
    const replaced_system_calls table([](system_calls& calls) {
      calls.write = [](int fd, const void* data, std::size_t size) noexcept -> ssize_t {
        return ++calls_made == 1 ? -EINTR : real_system_calls().write(fd, data, size);
      };
    });
    engine.wake();
  }
  EXPECT_EQ(calls_made, 2);
  EXPECT_EQ(engine.wait(events, never), 0);
  EXPECT_TRUE(engine.woken());
}

TEST(poller_epoll, a_wake_costs_one_write_and_no_read) {
  poller engine;
  calls_made = 0;
  const replaced_system_calls table([](system_calls& calls) {
    calls.read = [](int, void*, std::size_t) noexcept -> ssize_t { return ++calls_made, -EIO; };
  });
  std::array<ready_event, 4> events;
  engine.wake();
  engine.wait(events, never);
  EXPECT_TRUE(engine.woken());
  EXPECT_EQ(calls_made, 0);
}

template <class Replace>
std::string construction_error(Replace replace) {
  const replaced_system_calls table([&](system_calls& calls) {
    replace(calls);
    calls.close = [](int fd) noexcept { return ++calls_made, real_system_calls().close(fd); };
  });
  calls_made = 0;
  try {
    poller engine;
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EMFILE);
    return error.what();
  }
  return "none";
}

TEST(poller_epoll, names_the_call_that_failed_and_leaks_nothing) {
  EXPECT_NE(construction_error([](system_calls& calls) {
              calls.epoll_create1 = [](int) noexcept { return -EMFILE; };
            }).find("epoll_create1"),
            std::string::npos);
  EXPECT_EQ(calls_made, 0);
  EXPECT_NE(construction_error([](system_calls& calls) {
              calls.eventfd = [](unsigned, int) noexcept { return -EMFILE; };
            }).find("eventfd"),
            std::string::npos);
  EXPECT_EQ(calls_made, 1);
  EXPECT_NE(construction_error([](system_calls& calls) {
              calls.epoll_ctl = [](int, int, int, epoll_event*) noexcept { return -EMFILE; };
            }).find("epoll_ctl"),
            std::string::npos);
  EXPECT_EQ(calls_made, 2);
}

// Has the kernel of this process answer `error` to epoll_pwait2, as older kernels and strict containers do.
bool forbid_epoll_pwait2(int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 441, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = 4, .filter = program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// 0: waits work and do not end early; 1: they do not; 2: the filter could not be set up.
int exit_code_without_epoll_pwait2(int error) {
  if (!forbid_epoll_pwait2(error)) return 2;
  poller engine;
  std::array<ready_event, 4> events;
  for (int round = 0; round < 2; ++round) {
    const std::int64_t deadline = deadline_after(300'000);
    if (engine.wait(events, deadline) != 0 || monotonic_now() < deadline) return 1;
    engine.wake();
    if (engine.wait(events, never) != 0 || !engine.woken()) return 1;
  }
  return 0;
}

TEST(poller_epoll, works_on_kernels_without_epoll_pwait2) {
  EXPECT_EXIT(std::_Exit(exit_code_without_epoll_pwait2(ENOSYS)), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::_Exit(exit_code_without_epoll_pwait2(EPERM)), testing::ExitedWithCode(0), "");
}

}  // namespace
