#include <cerrno>

#include <gtest/gtest.h>

#include "platform/clock.h"
#include "support/replaced_system_calls.h"

namespace {

using namespace weft::detail;

TEST(system_calls, errors_come_back_negative) {
  char byte = 0;
  EXPECT_EQ(sys().read(-1, &byte, 1), -EBADF);
  EXPECT_EQ(sys().close(-1), -EBADF);
  EXPECT_EQ(sys().open("/no/such/path", O_RDONLY, 0), -ENOENT);
  EXPECT_EQ(sys().mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), -EINVAL);
}

TEST(system_calls, results_come_back_whole) {
  const std::intptr_t page = sys().mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_GT(page, 0);
  EXPECT_EQ(sys().munmap(reinterpret_cast<void*>(page), 4096), 0);
  EXPECT_GT(sys().getpid(), 0);
}

TEST(system_calls, leave_errno_alone_when_they_succeed) {
  errno = 77;
  EXPECT_EQ(sys().sched_yield(), 0);
  EXPECT_EQ(errno, 77);
}

TEST(system_calls, a_replaced_entry_is_the_one_that_is_called) {
  {
    const weft_test::replaced_system_calls table([](system_calls& calls) {
      calls.clock_gettime = [](clockid_t, timespec* now) noexcept {
        *now = {.tv_sec = 3, .tv_nsec = 4};
        return 0;
      };
    });
    EXPECT_EQ(monotonic_now(), 3'000'000'004);
  }
  EXPECT_EQ(&sys(), &real_system_calls());
}

TEST(system_calls, exchanging_null_restores_the_real_table) {
  const system_calls copy = real_system_calls();
  EXPECT_EQ(exchange_system_calls(&copy), &real_system_calls());
  EXPECT_EQ(exchange_system_calls(nullptr), &copy);
  EXPECT_EQ(&sys(), &real_system_calls());
}

}  // namespace
