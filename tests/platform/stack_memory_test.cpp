#include "platform/stack_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "platform/system_calls.h"
#include "support/replaced_system_calls.h"

namespace weft::detail {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t slot = 32 * page;  // One page of it is the guard.

class reserved {
 public:
  explicit reserved(std::size_t bytes) : bytes_(bytes) { EXPECT_EQ(reserve_memory(bytes, low), 0); }
  ~reserved() { release_memory(low, bytes_); }
  std::byte* low = nullptr;

 private:
  std::size_t bytes_;
};

// The kernel reads a byte for us: a guard is a refusal, not a fault.
bool readable(const std::byte* address) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  bool const done = ::write(ends[1], address, 1) == 1;
  ::close(ends[0]);
  ::close(ends[1]);
  return done;
}

std::vector<iovec> guards_of(std::byte* low, std::size_t count) {
  std::vector<iovec> ranges;
  for (std::size_t i = 0; i < count; ++i) ranges.push_back({low + i * slot, page});
  return ranges;
}

class guards : public testing::TestWithParam<guard_kind> {
 protected:
  void SetUp() override {
    if (GetParam() == guard_kind::madvise && best_guard_kind() != guard_kind::madvise) {
      GTEST_SKIP() << "this kernel has no MADV_GUARD_INSTALL";
    }
  }
};

TEST_P(guards, cover_their_ranges_and_nothing_else) {
  constexpr std::size_t count = 150;
  reserved const memory(count * slot);

  guard_result const result = install_guards(GetParam(), guards_of(memory.low, count));

  EXPECT_EQ(result.installed, count);
  EXPECT_EQ(result.error, 0);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_FALSE(readable(memory.low + i * slot + page - 1)) << i;
    EXPECT_TRUE(readable(memory.low + i * slot + page)) << i;
  }
}

TEST_P(guards, kill_who_touches_them) {
  reserved const memory(slot);
  ASSERT_EQ(install_guards(GetParam(), guards_of(memory.low, 1)).installed, 1u);

  EXPECT_DEATH(*const_cast<volatile std::byte*>(memory.low + page - 1) = std::byte{1}, "");
}

TEST_P(guards, survive_that_pages_are_given_back) {
  reserved const memory(slot);
  ASSERT_EQ(install_guards(GetParam(), guards_of(memory.low, 1)).installed, 1u);
  std::memset(memory.low + page, 7, slot - page);

  ASSERT_EQ(release_pages(memory.low + page, slot - page), 0);

  EXPECT_FALSE(readable(memory.low));
  EXPECT_EQ(memory.low[page], std::byte{0});
  EXPECT_EQ(memory.low[slot - 1], std::byte{0});
}

INSTANTIATE_TEST_SUITE_P(kinds, guards, testing::Values(guard_kind::madvise, guard_kind::mprotect),
                         [](auto const& kind) { return std::string(to_string(kind.param)); });

TEST(install_guards, goes_one_by_one_where_the_vectored_call_is_refused) {
  if (best_guard_kind() != guard_kind::madvise) GTEST_SKIP() << "this kernel has no MADV_GUARD_INSTALL";
  weft_test::replaced_system_calls const refusing([](system_calls& table) {
    table.process_madvise = [](int, const iovec*, std::size_t, int, unsigned) noexcept -> ssize_t { return -EPERM; };
  });
  reserved const memory(70 * slot);

  EXPECT_EQ(install_guards(guard_kind::madvise, guards_of(memory.low, 70)).installed, 70u);

  EXPECT_FALSE(readable(memory.low));
  EXPECT_FALSE(readable(memory.low + 69 * slot));
}

TEST(install_guards, goes_on_behind_what_the_vectored_call_did) {
  if (best_guard_kind() != guard_kind::madvise) GTEST_SKIP() << "this kernel has no MADV_GUARD_INSTALL";
  weft_test::replaced_system_calls const halving([](system_calls& table) {
    table.process_madvise = [](int process, const iovec* ranges, std::size_t count, int advice,
                               unsigned flags) noexcept -> ssize_t {
      return real_system_calls().process_madvise(process, ranges, count / 2, advice, flags);
    };
  });
  reserved const memory(70 * slot);

  EXPECT_EQ(install_guards(guard_kind::madvise, guards_of(memory.low, 70)).installed, 70u);

  for (std::size_t i = 0; i < 70; ++i) EXPECT_FALSE(readable(memory.low + i * slot)) << i;
}

TEST(install_guards, tells_how_far_it_came) {
  static int calls;
  calls = 0;
  weft_test::replaced_system_calls const failing([](system_calls& table) {
    table.mprotect = [](void* low, std::size_t bytes, int protection) noexcept {
      return ++calls > 3 ? -ENOMEM : real_system_calls().mprotect(low, bytes, protection);
    };
  });
  reserved const memory(8 * slot);

  guard_result const result = install_guards(guard_kind::mprotect, guards_of(memory.low, 8));

  EXPECT_EQ(result.installed, 3u);
  EXPECT_EQ(result.error, ENOMEM);
}

TEST(best_guard_kind, is_mprotect_where_the_kernel_refuses_guards) {
  weft_test::replaced_system_calls const old_kernel(
      [](system_calls& table) { table.madvise = [](void*, std::size_t, int) noexcept { return -EINVAL; }; });

  EXPECT_EQ(best_guard_kind(), guard_kind::mprotect);
}

TEST(reserve_memory, hands_back_the_error) {
  weft_test::replaced_system_calls const full([](system_calls& table) {
    table.mmap = [](void*, std::size_t, int, int, int, off_t) noexcept -> std::intptr_t { return -ENOMEM; };
  });
  std::byte* low = nullptr;

  EXPECT_EQ(reserve_memory(page, low), ENOMEM);
  EXPECT_EQ(low, nullptr);
}

TEST(reserve_memory, keeps_huge_pages_away) {
  if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) GTEST_SKIP() << "no huge pages here";
  reserved const memory(std::size_t{64} << 20);

  std::ifstream maps("/proc/self/smaps");
  std::string line;
  std::string flags;
  bool here = false;
  while (std::getline(maps, line)) {
    std::size_t low = 0;
    std::size_t high = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx ", &low, &high) == 2) {
      auto const wanted = reinterpret_cast<std::size_t>(memory.low);
      here = low <= wanted && wanted < high;
    } else if (here && line.starts_with("VmFlags:")) {
      flags = line;
    }
  }

  EXPECT_NE(flags.find(" nh"), std::string::npos) << flags;
}

TEST(max_map_count, is_what_the_kernel_says) {
  std::ifstream file("/proc/sys/vm/max_map_count");
  std::size_t expected = 0;
  file >> expected;

  EXPECT_EQ(max_map_count(), expected);
}

TEST(max_map_count, is_0_where_it_cannot_be_read) {
  weft_test::replaced_system_calls const without(
      [](system_calls& table) { table.open = [](const char*, int, mode_t) noexcept { return -ENOENT; }; });

  EXPECT_EQ(max_map_count(), 0u);
}

}  // namespace
}  // namespace weft::detail
