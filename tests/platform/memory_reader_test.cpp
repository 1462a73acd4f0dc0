#include "platform/memory_reader.h"

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

#include "support/replaced_system_calls.h"

namespace {

using namespace weft::detail;

TEST(memory_reader, reads_what_is_there_and_refuses_what_is_not) {
  const std::array<int, 3> from{1, 2, 3};
  std::array<int, 3> to{};
  EXPECT_TRUE(read_memory(&from, &to, sizeof to));
  EXPECT_EQ(to, from);
  EXPECT_FALSE(read_memory(reinterpret_cast<const void*>(64), &to, sizeof to));
}

TEST(memory_reader, copies_by_itself_where_the_kernel_does_not_help) {
  const weft_test::replaced_system_calls table([](system_calls& entries) {
    entries.process_vm_readv = [](pid_t, const iovec*, unsigned long, const iovec*, unsigned long,
                                  unsigned long) noexcept -> ssize_t { return -EPERM; };
  });
  const std::array<int, 3> from{1, 2, 3};
  std::array<int, 3> to{};
  EXPECT_FALSE(read_memory(&from, &to, sizeof to));
  copy_memory(&from, &to, sizeof to);
  EXPECT_EQ(to, from);
}

}  // namespace
