#include "scheduler/ready_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <vector>

#include "base/random.h"
#include "support/seed.h"
#include "support/threads.h"

namespace {

using weft::detail::random_source;
using weft::detail::ready_ring;
using small_ring = ready_ring<int, 4>;

TEST(ready_ring, gives_back_in_the_order_of_pushes_round_and_round) {
  int items[3] = {};
  small_ring ring;

  for (int round = 0; round < 10; ++round) {
    EXPECT_TRUE(ring.empty());
    EXPECT_EQ(ring.pop(), nullptr);
    for (int& each : items) EXPECT_TRUE(ring.push(&each));
    EXPECT_EQ(ring.size_hint(), 3U);
    for (int& each : items) EXPECT_EQ(ring.pop(), &each);
  }
}

TEST(ready_ring, refuses_what_does_not_fit) {
  int items[5] = {};
  small_ring ring;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(&items[i]));

  EXPECT_FALSE(ring.push(&items[4]));

  EXPECT_EQ(ring.pop(), &items[0]);
  EXPECT_TRUE(ring.push(&items[4]));
  for (int i = 1; i < 5; ++i) EXPECT_EQ(ring.pop(), &items[i]);
}

TEST(ready_ring, loses_the_older_half_to_a_thief_in_order) {
  int items[4] = {};
  small_ring ring, thief;
  for (int& each : items) ring.push(&each);

  EXPECT_EQ(ring.steal_into(thief), &items[0]);

  EXPECT_EQ(thief.pop(), &items[1]);
  EXPECT_EQ(thief.pop(), nullptr);
  EXPECT_EQ(ring.steal_into(thief), &items[2]);
  EXPECT_TRUE(thief.empty());
  EXPECT_EQ(ring.steal_into(thief), &items[3]);
  EXPECT_EQ(ring.steal_into(thief), nullptr);
}

TEST(ready_ring, gives_a_thief_no_more_than_it_has_room_for) {
  int items[8] = {};
  small_ring ring, thief;
  for (int i = 0; i < 4; ++i) ring.push(&items[i]);
  for (int i = 4; i < 8; ++i) thief.push(&items[i]);

  EXPECT_EQ(ring.steal_into(thief), &items[0]);

  EXPECT_EQ(ring.size_hint(), 3U);
  for (int i = 4; i < 8; ++i) EXPECT_EQ(thief.pop(), &items[i]);
  EXPECT_TRUE(thief.empty());
}

struct element {
  int payload = 0;  // Not atomic: the ring must order it.
  std::atomic<int> taken{0};
};

// Two owners push to and pop from their small rings and steal from each other's; a third only steals.
TEST(ready_ring, gives_each_element_to_exactly_one_taker) {
  const std::uint64_t seed = weft_test::fresh_seed();
  SCOPED_TRACE(weft_test::seed_text(seed));
  constexpr std::size_t each_pushes = weft_test::stress_count(1'000'000);
  std::vector<element> elements(2 * each_pushes);
  ready_ring<element, 8> rings[3];
  std::atomic<int> pushing{2};
  std::atomic<bool> is_spoilt{false};
  const auto take = [&](element* each) {
    if (each == nullptr) return false;
    if (each->payload != 42) is_spoilt = true;
    each->taken.fetch_add(1, std::memory_order_relaxed);
    return true;
  };

  weft_test::run_together(3, [&](std::size_t me) {
    random_source random(seed + me);
    weft_test::patience waiting;
    ready_ring<element, 8>& mine = rings[me];
    if (me < 2) {
      for (std::size_t next = me * each_pushes, end = next + each_pushes; next < end;) {
        for (std::uint32_t n = random.below(4); n != 0 && next < end; --n) {
          elements[next].payload = 42;
          if (!mine.push(&elements[next])) break;
          ++next;
        }
        for (std::uint32_t n = random.below(4); n != 0; --n) take(mine.pop());
        if (random.below(4) == 0) take(rings[(me + 1 + random.below(2)) % 3].steal_into(mine));
      }
      pushing.fetch_sub(1);
    } else {
      while (pushing.load(std::memory_order_relaxed) != 0) {
        if (!take(mine.pop()) && !take(rings[random.below(2)].steal_into(mine))) waiting.wait();
      }
    }
    while (take(mine.pop())) {
    }
  });

  EXPECT_FALSE(is_spoilt);
  for (const element& each : elements) ASSERT_EQ(each.taken.load(), 1) << &each - elements.data();
}

}  // namespace
