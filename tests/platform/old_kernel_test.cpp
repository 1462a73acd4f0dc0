// A kernel before 5.11, and the filter of a container that knows no newer one: here a filter of our own refuses
// epoll_pwait2(), for good, and so in a child.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <gtest/gtest.h>

#include "platform/clock.h"
#include "platform/poller.h"

namespace {

using namespace weft::detail;

constexpr int cannot_filter = 7;

void refuse_epoll_pwait2(int error) {
  constexpr unsigned number_epoll_pwait2 = 441;
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{4, rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) std::exit(cannot_filter);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) std::exit(cannot_filter);
}

// 0 if waits end neither before their time nor long after it, and a wake ends one.
int wait_with(int refusal) {
  refuse_epoll_pwait2(refusal);
  poller queue;
  std::array<ready_event, 4> events;
  for (const std::int64_t delay : {0L, 1L, 1'500'000L, 5'000'000L}) {
    const std::int64_t until = deadline_after(delay);
    if (queue.wait(events, until) != 0) return 1;
    if (monotonic_now() < until) return 2;
  }
  queue.wake();
  if (queue.wait(events, never) != 0) return 3;
  queue.wake();
  return queue.wait(events, monotonic_now() + (std::int64_t{1} << 62)) == 0 ? 0 : 4;
}

bool all_is_well(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == cannot_filter) GTEST_LOG_(INFO) << "filters are forbidden here";
  return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == cannot_filter);
}

TEST(old_kernel, has_waits_to_the_millisecond) { EXPECT_EXIT(std::exit(wait_with(ENOSYS)), all_is_well, ""); }

TEST(old_kernel, may_be_a_filter_that_permits_nothing_new) {
  EXPECT_EXIT(std::exit(wait_with(EPERM)), all_is_well, "");
}

}  // namespace
