#include "scheduler/work_deque.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <new>
#include <vector>

#include "base/random.h"
#include "support/seed.h"
#include "support/threads.h"

namespace {

using weft::detail::random_source;
using weft::detail::work_deque;

TEST(work_deque, gives_its_owner_the_newest_and_thieves_the_oldest) {
  int items[4] = {};
  work_deque<int> deque(2);
  for (int& each : items) deque.push(&each);

  EXPECT_EQ(deque.size_hint(), 4U);
  EXPECT_EQ(deque.pop(), &items[3]);
  EXPECT_EQ(deque.steal(), &items[0]);
  EXPECT_EQ(deque.take_oldest(), &items[1]);
  EXPECT_EQ(deque.pop(), &items[2]);
  EXPECT_TRUE(deque.empty_hint());
}

TEST(work_deque, is_empty_from_all_sides_and_stays_usable) {
  int item = 0;
  work_deque<int> deque(2);

  for (int round = 0; round < 10; ++round) {
    bool lost = true;
    EXPECT_EQ(deque.pop(), nullptr);
    EXPECT_EQ(deque.take_oldest(), nullptr);
    EXPECT_EQ(deque.steal(lost), nullptr);
    EXPECT_FALSE(lost);
    deque.push(&item);
    EXPECT_EQ(round % 2 == 0 ? deque.pop() : deque.steal(), &item);
  }
}

TEST(work_deque, keeps_everything_in_order_while_it_grows) {
  std::deque<int> items(1000);
  work_deque<int> deque(2);
  std::size_t pushed = 0;
  std::size_t taken = 0;

  // Taken from the top meanwhile, so that each growth finds its elements wrapped round the end of the array.
  for (; pushed < items.size(); ++pushed) {
    deque.push(&items[pushed]);
    if (pushed % 3 == 2) {
      ASSERT_EQ(deque.steal(), &items[taken++]);
    }
  }

  for (; taken < items.size(); ++taken) ASSERT_EQ(deque.take_oldest(), &items[taken]);
  EXPECT_TRUE(deque.empty_hint());
}

TEST(work_deque, agrees_with_a_plain_deque_over_random_operations) {
  const std::uint64_t seed = weft_test::fresh_seed();
  SCOPED_TRACE(weft_test::seed_text(seed));
  random_source random(seed);
  std::vector<int> items(20'000);
  std::deque<int*> expected;
  work_deque<int> deque(2);

  for (int& each : items) {
    const std::uint32_t what = random.below(8);
    int* const front = expected.empty() ? nullptr : expected.front();
    int* const back = expected.empty() ? nullptr : expected.back();
    if (what < 4) {
      deque.push(&each);
      expected.push_back(&each);
    } else if (what < 6) {
      ASSERT_EQ(deque.pop(), back);
      if (back != nullptr) expected.pop_back();
    } else {
      ASSERT_EQ(what == 6 ? deque.steal() : deque.take_oldest(), front);
      if (front != nullptr) expected.pop_front();
    }
    ASSERT_EQ(deque.size_hint(), expected.size());
  }
}

#if !defined(WEFT_ASAN) && !defined(WEFT_TSAN)
// In a process of its own, whose address space is too small.
TEST(work_deque, refuses_a_push_it_has_no_memory_for_and_keeps_the_rest) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit{256U << 20, 256U << 20};
    setrlimit(RLIMIT_AS, &limit);
    static int item;
    work_deque<int> deque(2);
    std::size_t pushed = 0;
    try {
      for (;; ++pushed) deque.push(&item);
    } catch (const std::bad_alloc&) {
    }
    bool is_intact = pushed > 1000 && deque.size_hint() == pushed;
    for (; pushed != 0; --pushed) is_intact = is_intact && deque.pop() == &item;
    _exit(is_intact && deque.pop() == nullptr ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}
#endif

struct element {
  int payload = 0;  // Not atomic: the deque must order it.
  std::atomic<int> taken{0};
};

// One owner against two thieves, from a capacity of two. The deque is kept short, because only its last
// element is raced for, with a long burst now and then that makes it grow.
TEST(work_deque, gives_each_element_to_exactly_one_taker) {
  const std::uint64_t seed = weft_test::fresh_seed();
  SCOPED_TRACE(weft_test::seed_text(seed));
  std::vector<element> elements(weft_test::stress_count(5'000'000));
  work_deque<element> deque(2);
  std::atomic<bool> is_done{false};
  std::atomic<bool> is_spoilt{false};
  const auto take = [&](element* each) {
    if (each == nullptr) return;
    if (each->payload != 42) is_spoilt = true;
    each->taken.fetch_add(1, std::memory_order_relaxed);
  };

  weft_test::run_together(3, [&](std::size_t thread) {
    random_source random(seed);
    if (thread != 0) {
      for (weft_test::patience waiting; !is_done.load(std::memory_order_relaxed);) {
        bool lost = false;
        element* const each = deque.steal(lost);
        if (lost && each != nullptr) is_spoilt = true;
        take(each);
        if (each == nullptr) waiting.wait();
      }
      return;
    }
    for (std::size_t next = 0; next < elements.size();) {
      for (std::uint32_t n = random.below(5000) == 0 ? 500 : 1 + random.below(2); n != 0; --n) {
        if (next == elements.size()) break;
        elements[next].payload = 42;
        deque.push(&elements[next++]);
      }
      for (std::uint32_t n = random.below(4); n != 0; --n) take(deque.pop());
      if (random.below(8) == 0) take(deque.take_oldest());
    }
    while (element* const each = deque.pop()) take(each);
    is_done = true;
  });

  EXPECT_FALSE(is_spoilt);
  for (const element& each : elements) ASSERT_EQ(each.taken.load(), 1) << &each - elements.data();
}

}  // namespace
