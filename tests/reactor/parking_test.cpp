// Where an idle worker sleeps: in its poller for the sake of descriptors, and in its note without any.
#include "reactor/descriptor.h"

#include "platform/system_calls.h"
#include "support/replaced_system_calls.h"

#include <gtest/gtest.h>
#include <weft/runtime.h>
#include <weft/this_fiber.h>

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>

namespace weft::detail {
namespace {

using namespace std::chrono_literals;

std::atomic<int> blocking_waits{0};

int count_blocking(int queue, epoll_event* events, int capacity, const timespec* timeout,
                   const sigset_t* mask) noexcept {
  if (timeout == nullptr || timeout->tv_sec != 0 || timeout->tv_nsec != 0) ++blocking_waits;
  return real_system_calls().epoll_pwait2(queue, events, capacity, timeout, mask);
}

class parking : public testing::TestWithParam<reactor_mode> {
 protected:
  parking() { blocking_waits = 0; }
  options wanted() const {
    options result;
    result.cores = 1;
    result.reactor = GetParam();
    result.spin = 0us;
    return result;
  }
  const weft_test::replaced_system_calls table_{[](system_calls& calls) { calls.epoll_pwait2 = &count_blocking; }};
};

TEST_P(parking, is_in_the_note_while_no_descriptor_is_registered) {
  weft::runtime here(wanted());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(here.spawn([i] { return i; }).join(), i);
  here.spawn([] {
        for (int i = 0; i < 50; ++i) {
          const std::int64_t end = monotonic_now() + 100'000;
          weft::this_fiber::sleep_for(100us);
          EXPECT_GE(monotonic_now(), end);
        }
      })
      .join();
  EXPECT_EQ(blocking_waits, 0);
}

TEST_P(parking, is_in_the_poller_while_one_is) {
  weft::runtime here(wanted());
  here.spawn([] {
        int fds[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        descriptor left, right;
        ASSERT_EQ(descriptor::adopt(fds[0], left), 0);
        ASSERT_EQ(descriptor::adopt(fds[1], right), 0);
        std::array<char, 8> buffer;
        const auto read = [&](std::int64_t deadline) {
          return left.perform(direction::read, deadline, buffer.size(),
                              [&](int fd) { return sys().read(fd, buffer.data(), buffer.size()); });
        };
        EXPECT_EQ(read(monotonic_now() + 5'000'000), -ETIMEDOUT);
        EXPECT_GT(blocking_waits, 0);
        left.close();
        blocking_waits = 0;
        weft::this_fiber::sleep_for(1ms);
        EXPECT_EQ(blocking_waits, 0) << "it is gone";
      })
      .join();
}

INSTANTIATE_TEST_SUITE_P(modes, parking, testing::Values(reactor_mode::adaptive, reactor_mode::inlined));

}  // namespace
}  // namespace weft::detail
