#include "scheduler/inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <vector>

#include "base/random.h"
#include "support/seed.h"
#include "support/threads.h"

namespace {

using weft::detail::inbox;
using weft::detail::inbox_node;
using weft::detail::random_source;

struct letter : inbox_node {
  explicit letter(int n) : number(n) {}
  int number;
};

std::vector<int> numbers(const inbox_node* chain) {
  std::vector<int> all;
  for (; chain != nullptr; chain = chain->next_in_inbox) all.push_back(static_cast<const letter*>(chain)->number);
  return all;
}

TEST(inbox, is_taken_whole_in_the_order_of_pushes) {
  letter a(1), b(2), c(3);
  inbox box;
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(box.take_all(), nullptr);

  EXPECT_TRUE(box.push(a));
  EXPECT_FALSE(box.push(b));
  EXPECT_FALSE(box.push(c));

  EXPECT_FALSE(box.empty());
  EXPECT_EQ(numbers(box.take_all()), (std::vector{1, 2, 3}));
  EXPECT_TRUE(box.empty());
}

TEST(inbox, takes_chains_in_order) {
  letter a(1), b(2), c(3), d(4), e(5), stray(9);
  b.next_in_inbox = &c;
  c.next_in_inbox = &d;
  d.next_in_inbox = &stray;
  inbox box;

  EXPECT_TRUE(box.push_chain(a, a));
  EXPECT_FALSE(box.push_chain(b, d));
  EXPECT_FALSE(box.push(e));

  EXPECT_EQ(numbers(box.take_all()), (std::vector{1, 2, 3, 4, 5}));
}

TEST(inbox, tells_one_sender_per_batch_that_it_was_empty) {
  letter a(1), b(2);
  inbox box;

  EXPECT_TRUE(box.push(a));
  box.take_all();
  EXPECT_TRUE(box.push(a));
  EXPECT_FALSE(box.push(b));
  box.take_all();
}

struct message : inbox_node {
  std::size_t sender = 0;
  std::size_t number = 0;
  int taken = 0;  // Not atomic: the inbox must order it.
};

TEST(inbox, loses_nothing_and_keeps_the_order_of_each_sender) {
  const std::uint64_t seed = weft_test::fresh_seed();
  SCOPED_TRACE(weft_test::seed_text(seed));
  constexpr std::size_t each_sends = weft_test::stress_count(400'000);
  std::vector<message> messages(2 * each_sends);
  inbox box;
  std::atomic<std::size_t> left{messages.size()};
  std::atomic<std::size_t> batches{0}, claimed{0};
  bool is_ordered = true;

  weft_test::run_together(3, [&](std::size_t me) {
    random_source random(seed + me);
    if (me < 2) {
      for (std::size_t i = 0; i < each_sends;) {
        message* const first = &messages[me * each_sends + i];
        const std::size_t count = std::min<std::size_t>(1 + random.below(5), each_sends - i);
        for (std::size_t n = 0; n < count; ++n) {
          first[n].sender = me;
          first[n].number = i + n;
          if (n + 1 < count) first[n].next_in_inbox = &first[n + 1];
        }
        const bool was_empty = count == 1 ? box.push(*first) : box.push_chain(*first, first[count - 1]);
        if (was_empty) claimed.fetch_add(1, std::memory_order_relaxed);
        i += count;
      }
      return;
    }
    std::size_t next[2] = {};
    weft_test::patience waiting;
    while (left.load(std::memory_order_relaxed) != 0) {
      inbox_node* chain = box.take_all();
      if (chain == nullptr) waiting.wait();
      if (chain != nullptr) batches.fetch_add(1, std::memory_order_relaxed);
      for (; chain != nullptr; chain = chain->next_in_inbox) {
        message& got = static_cast<message&>(*chain);
        ++got.taken;
        if (got.number != next[got.sender]++) is_ordered = false;
        left.fetch_sub(1, std::memory_order_relaxed);
      }
    }
  });

  EXPECT_TRUE(is_ordered);
  EXPECT_EQ(batches.load(), claimed.load());
  for (const message& each : messages) ASSERT_EQ(each.taken, 1);
}

TEST(inbox, may_be_taken_by_several_at_once) {
  std::vector<message> messages(weft_test::stress_count(400'000));
  inbox box;
  std::atomic<std::size_t> left{messages.size()};

  weft_test::run_together(3, [&](std::size_t me) {
    weft_test::patience waiting;
    if (me == 0) {
      for (message& each : messages) box.push(each);
    }
    while (left.load(std::memory_order_relaxed) != 0) {
      inbox_node* chain = box.take_all();
      if (chain == nullptr) waiting.wait();
      for (; chain != nullptr; chain = chain->next_in_inbox) {
        ++static_cast<message*>(chain)->taken;
        left.fetch_sub(1, std::memory_order_relaxed);
      }
    }
  });

  for (const message& each : messages) ASSERT_EQ(each.taken, 1);
}

}  // namespace
