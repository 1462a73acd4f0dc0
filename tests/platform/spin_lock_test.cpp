#include "platform/spin_lock.h"

#include <gtest/gtest.h>

#include <mutex>

#include "support/threads.h"

namespace {

using weft::detail::spin_lock;

TEST(spin_lock, is_one_byte_and_taken_once) {
  static_assert(sizeof(spin_lock) == 1);
  spin_lock lock;

  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(spin_lock, excludes_more_threads_than_there_are_cores) {
  spin_lock lock;
  long counter = 0;

  weft_test::run_together(8, [&](std::size_t) {
    for (int i = 0; i < 20'000; ++i) {
      const std::scoped_lock hold(lock);
      counter = counter + 1;
    }
  });

  EXPECT_EQ(counter, 160'000);
}

}  // namespace
