#include "scheduler/injection.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/random.h"
#include "support/seed.h"
#include "support/threads.h"

namespace {

using weft::detail::full_fence;
using weft::detail::injection;
using weft::detail::random_source;
using weft::detail::spin_pause;

TEST(injection, gives_back_what_one_thread_pushed_in_order) {
  int items[100] = {};
  injection queue;
  EXPECT_FALSE(queue.maybe_nonempty());
  EXPECT_EQ(queue.try_pop(), nullptr);

  for (int& each : items) queue.push(&each);

  EXPECT_TRUE(queue.maybe_nonempty());
  for (int& each : items) EXPECT_EQ(queue.try_pop(), &each);
  EXPECT_FALSE(queue.maybe_nonempty());
  EXPECT_EQ(queue.try_pop(), nullptr);
}

TEST(injection, may_die_with_elements_in_it) {
  int item = 0;
  injection queue;
  queue.push(&item);
}

TEST(injection, hands_each_element_of_many_threads_out_once) {
  constexpr std::size_t pushers = 3, each_pushes = weft_test::stress_count(200'000);
  std::vector<int> taken(pushers * each_pushes);
  injection queue;
  std::atomic<std::size_t> left{taken.size()};

  weft_test::run_together(pushers + 2, [&](std::size_t me) {
    if (me < pushers) {
      for (std::size_t i = 0; i < each_pushes; ++i) queue.push(&taken[me * each_pushes + i]);
      return;
    }
    while (left.load(std::memory_order_relaxed) != 0) {
      int* const got = static_cast<int*>(queue.try_pop());
      if (got == nullptr) {
        std::this_thread::yield();
        continue;
      }
      ++*got;
      left.fetch_sub(1, std::memory_order_relaxed);
    }
  });

  for (const int each : taken) ASSERT_EQ(each, 1);
  EXPECT_FALSE(queue.maybe_nonempty());
}

// The parking protocol over the count and the sleepers' words, and nothing else. A pusher goes on only when its element
// was taken, so with one of each every wake is the only one, and a lost one hangs; with two, one pop may overtake the
// announcement of another.
void push_and_park(std::size_t pushers, std::size_t parkers) {
  constexpr std::size_t each_pushes = weft_test::stress_count(10'000);
  const std::uint64_t seed = weft_test::fresh_seed();
  SCOPED_TRACE(weft_test::seed_text(seed));
  injection queue;
  std::atomic<int> asleep[2] = {0, 0};
  std::atomic<std::size_t> left{pushers * each_pushes};

  const auto wake_one = [&] {
    full_fence();
    for (std::atomic<int>& each : asleep) {
      int sleeping = 1;
      if (each.compare_exchange_strong(sleeping, 0)) return each.notify_one();
    }
  };
  const auto push_all = [&] {
    std::atomic<bool> was_taken{false};
    for (std::size_t i = 0; i < each_pushes; ++i) {
      was_taken = false;
      queue.push(&was_taken);
      wake_one();
      for (weft_test::patience waiting; !was_taken.load();) waiting.wait();
    }
  };
  // Looks again after a while of varying length, so that pushes fall into every gap.
  const auto park = [&](std::atomic<int>& mine, random_source& random) {
    for (std::uint32_t n = random.below(64); n != 0; --n) spin_pause();
    int awake = 0;
    if (!mine.compare_exchange_strong(awake, 1)) return;
    full_fence();
    int sleeping = 1;
    if (!queue.maybe_nonempty() || !mine.compare_exchange_strong(sleeping, 0)) mine.wait(1);
  };
  weft_test::run_together(pushers + parkers, [&](std::size_t me) {
    if (me >= parkers) return push_all();
    random_source random(seed + me);
    while (left.load() != 0) {
      auto* const got = static_cast<std::atomic<bool>*>(queue.try_pop());
      if (got == nullptr) {
        park(asleep[me], random);
        continue;
      }
      const bool is_last = left.fetch_sub(1) == 1;
      got->store(true);
      for (std::atomic<int>& each : asleep) {
        if (is_last) each.store(2);
        if (is_last) each.notify_one();
      }
    }
  });

  EXPECT_FALSE(queue.maybe_nonempty());
}

TEST(injection, loses_no_wake_of_one_pusher) { push_and_park(1, 1); }
TEST(injection, loses_no_wake_of_two_pushers) { push_and_park(2, 2); }

}  // namespace
