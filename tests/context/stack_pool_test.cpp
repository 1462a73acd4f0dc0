#include "context/stack_pool.h"

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "context/stack_support.h"

namespace weft::detail {
namespace {

TEST(stack_pool, hands_out_the_last_one_given) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  stack_head* const a = pool.take(default_stack_class);
  stack_head* const b = pool.take(default_stack_class);
  ASSERT_NE(a, b);
  pool.give(a);
  pool.give(b);

  EXPECT_EQ(pool.take(default_stack_class), b);
  EXPECT_EQ(pool.take(default_stack_class), a);
  pool.give(a);
  pool.give(b);
}

TEST(stack_pool, keeps_classes_apart) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  stacks.take(0);
  stacks.take(4);
  stacks.give_all();

  EXPECT_EQ(stacks.take(0)->size_class, 0);
  EXPECT_EQ(stacks.take(4)->size_class, 4);
  EXPECT_EQ(stacks.take(2)->size_class, 2);
}

TEST(stack_pool, touches_a_stack_only_when_it_is_taken) {
  static int made;
  made = 0;
  stack_arena_set arenas({sizeof(test_head), [](void* memory, const stack_head& placed, std::uint64_t epoch) noexcept {
                            ++made;
                            make_test_head(memory, placed, epoch);
                          }});
  stack_pool pool(arenas);
  taken stacks(pool);

  stacks.take_many(3);
  EXPECT_EQ(made, 3);
  stacks.give_all();
  stacks.take_many(3);

  EXPECT_EQ(made, 3);
}

TEST(stack_pool, spills_its_oldest_to_the_depot) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  stacks.take_many(stack_pool::capacity + 1);
  std::set<stack_head*> const oldest(stacks.stacks.begin(), stacks.stacks.begin() + stack_batch);
  stack_head* const newest = stacks.stacks.back();

  stacks.give_all();

  EXPECT_EQ(arenas.statistics().depot, stack_batch);
  EXPECT_EQ(stacks.take(), newest);
  stack_pool other(arenas);
  taken theirs(other);
  theirs.take_many(stack_batch);
  EXPECT_EQ(std::set<stack_head*>(theirs.stacks.begin(), theirs.stacks.end()), oldest);
  EXPECT_EQ(arenas.statistics().depot, 0u);
}

TEST(stack_pool, flush_leaves_nothing_behind) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  for (std::uint8_t c = 0; c < stack_class_count; ++c) stacks.take_many(50, c);
  stacks.give_all();
  EXPECT_GE(arenas.statistics().cached, 250u - stack_batch);

  pool.flush();

  EXPECT_EQ(arenas.statistics().cached, 0u);
  EXPECT_EQ(arenas.statistics().depot, 250u);
  EXPECT_EQ(arenas.statistics().in_use, 0u);
}

TEST(stack_pool, counts_what_is_in_use) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  stack_pool other(arenas);
  taken stacks(pool);
  stacks.take_many(10);
  other.give(stacks.stacks.back());
  stacks.stacks.pop_back();

  EXPECT_EQ(arenas.statistics().in_use, 9u);
  EXPECT_EQ(arenas.statistics(default_stack_class).in_use, 9u);
  EXPECT_EQ(arenas.statistics(0).in_use, 0u);
  EXPECT_EQ(other.cached(default_stack_class), 1u);
}

// One thread only takes, the other only gives, through a small ring: stacks flow through the depot.
TEST(stack_pool, stacks_flow_between_two_threads) {
  constexpr int rounds = 40'000;
  stack_arena_set arenas(test_head_type);
  std::atomic<stack_head*> ring[128] = {};
  std::thread taker([&] {
    stack_pool pool(arenas);
    for (int i = 0; i < rounds; ++i) {
      stack_head* const stack = pool.take(default_stack_class);
      ASSERT_NE(stack, nullptr);
      stack->top[-1] = static_cast<std::byte>(i);
      while (ring[i % 128].load(std::memory_order_acquire) != nullptr) std::this_thread::yield();
      ring[i % 128].store(stack, std::memory_order_release);
    }
  });
  std::thread giver([&] {
    stack_pool pool(arenas);
    for (int i = 0; i < rounds; ++i) {
      stack_head* stack = nullptr;
      while ((stack = ring[i % 128].exchange(nullptr, std::memory_order_acq_rel)) == nullptr) {
        std::this_thread::yield();
      }
      ASSERT_EQ(stack->top[-1], static_cast<std::byte>(i));
      pool.give(stack);
    }
  });
  taker.join();
  giver.join();

  EXPECT_EQ(arenas.statistics().in_use, 0u);
  EXPECT_EQ(arenas.statistics().cached, 0u);
  EXPECT_LE(arenas.statistics().depot, 512u);  // The ring, two caches and a few batches.
}

TEST(stack_pool, no_stack_is_handed_out_twice_under_stress) {
  std::uint32_t const seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  stack_arena_set arenas({sizeof(test_head), make_test_head, last_test_epoch});
  std::atomic<bool> stop{false};
  std::thread trimmer([&] {
    while (!stop.load()) {
      arenas.trim(40);
      static_cast<void>(arenas.statistics());
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> owners;
  for (std::uint32_t t = 0; t < 3; ++t) {
    owners.emplace_back([&, t] {
      std::mt19937 random(seed + t);
      stack_pool pool(arenas);
      taken stacks(pool);
      for (int round = 0; round < 300; ++round) {
        std::size_t const first = stacks.stacks.size();
        stacks.take_many(random() % 120, static_cast<std::uint8_t>(random() % 2));
        for (std::size_t i = first; i < stacks.stacks.size(); ++i) {
          stacks.stacks[i]->top[-8] = static_cast<std::byte>(t);
          ASSERT_EQ(arenas.at(stacks.stacks[i]->index), stacks.stacks[i]);
        }
        for (stack_head const* stack : stacks.stacks) ASSERT_EQ(stack->top[-8], static_cast<std::byte>(t));
        while (stacks.stacks.size() > random() % 150) {
          ++static_cast<test_head*>(stacks.stacks.back())->epoch;
          pool.give(stacks.stacks.back());
          stacks.stacks.pop_back();
        }
        if (random() % 16 == 0) pool.flush();
      }
    });
  }
  for (std::thread& each : owners) each.join();
  stop.store(true);
  trimmer.join();

  EXPECT_EQ(arenas.statistics().in_use, 0u);
  EXPECT_EQ(arenas.statistics().cached, 0u);
}

}  // namespace
}  // namespace weft::detail
