#include "scheduler/slab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "base/random.h"
#include "support/seed.h"
#include "support/threads.h"

namespace {

using weft::detail::random_source;
using weft::detail::shared_slab_heap;
using weft::detail::slab_chunk;
using weft::detail::slab_chunk_source;
using weft::detail::slab_heap;

TEST(slab_heap, picks_the_smallest_class_that_fits) {
  slab_chunk_source source;
  slab_heap heap(source);

  for (std::size_t bytes = 0; bytes <= slab_heap::largest_block; ++bytes) {
    void* const block = heap.allocate(bytes);
    const auto fitting = std::lower_bound(slab_heap::block_sizes.begin(), slab_heap::block_sizes.end(), bytes);
    ASSERT_EQ(slab_heap::block_bytes(block), *fitting) << bytes;
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % slab_heap::block_alignment, 0U);
    slab_heap::release(block, &heap);
  }
}

TEST(slab_heap, refuses_what_is_too_large) {
  slab_chunk_source source;
  slab_heap heap(source);

  EXPECT_EQ(heap.allocate(slab_heap::largest_block + 1), nullptr);
  EXPECT_EQ(heap.allocate(~std::size_t{0}), nullptr);
  EXPECT_EQ(source.bytes_in_use(), 0U);
}

TEST(slab_heap, reuses_a_released_block_with_its_bytes_as_they_were) {
  slab_chunk_source source;
  slab_heap heap(source);
  auto* const block = static_cast<unsigned char*>(heap.allocate(192));
  std::memset(block, 0xab, 192);

  slab_heap::release(block, &heap);
  EXPECT_TRUE(std::all_of(block + sizeof(void*), block + 192, [](unsigned char b) { return b == 0xab; }));

  EXPECT_EQ(heap.allocate(150), block);
}

TEST(slab_heap, gives_out_blocks_that_do_not_overlap_across_chunks) {
  slab_chunk_source source;
  slab_heap heap(source);
  std::map<std::uintptr_t, std::size_t> extents;

  for (const std::size_t bytes : slab_heap::block_sizes) {
    for (int i = 0; i < 1200; ++i) {
      void* const block = heap.allocate(bytes);
      ASSERT_EQ(*static_cast<char*>(block), 0);
      std::memset(block, 0xff, bytes);
      extents.emplace(reinterpret_cast<std::uintptr_t>(block), bytes);
    }
  }

  EXPECT_EQ(extents.size(), 1200 * slab_heap::block_sizes.size());
  std::uintptr_t free_from = 0;
  for (const auto& [start, bytes] : extents) {
    ASSERT_GE(start, free_from);
    free_from = start + bytes;
    ASSERT_LE(free_from, (start | (slab_chunk::bytes - 1)) + 1) << "a block crosses its chunk's end";
  }
}

// Several times, so that the chunks come out of memory that was written to before.
TEST(slab_heap, zeroes_the_start_of_a_fresh_block) {
  for (int round = 0; round < 4; ++round) {
    slab_chunk_source source;
    slab_heap heap(source);
    for (int i = 0; i < 2000; ++i) {
      auto* const block = static_cast<unsigned char*>(heap.allocate(128));
      ASSERT_TRUE(std::all_of(block, block + slab_heap::zeroed_bytes, [](unsigned char b) { return b == 0; }));
      std::memset(block, 0xff, 128);
    }
  }
}

TEST(slab_heap, takes_back_what_others_released) {
  slab_chunk_source source;
  slab_heap heap(source), other(source);
  std::set<void*> blocks;
  for (int i = 0; i < 100; ++i) blocks.insert(heap.allocate(256));

  int n = 0;
  for (void* each : blocks) slab_heap::release(each, n++ % 2 == 0 ? &other : nullptr);

  const std::size_t bytes_before = source.bytes_in_use();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(blocks.erase(heap.allocate(256)), 1U);
  EXPECT_EQ(source.bytes_in_use(), bytes_before);
}

TEST(slab_chunk_source, shows_every_block_that_was_ever_handed_out) {
  slab_chunk_source source;
  slab_heap heap(source);
  shared_slab_heap shared(source);
  std::map<void*, std::size_t> expected;
  for (int i = 0; i < 1000; ++i) expected.emplace(heap.allocate(128), 128);
  for (int i = 0; i < 100; ++i) expected.emplace(heap.allocate(1000), 1024);
  for (int i = 0; i < 10; ++i) expected.emplace(shared.allocate(700), 768);
  slab_heap::release(expected.begin()->first, &heap);

  std::map<void*, std::size_t> shown;
  source.for_each_block([&](void* block, std::size_t bytes) { EXPECT_TRUE(shown.emplace(block, bytes).second); });

  EXPECT_EQ(shown, expected);
}

// Two owners and a plain thread allocate, pass blocks round and release each other's, while a walker looks at
// all.
TEST(slab_heap, survives_releases_from_everywhere) {
  const std::uint64_t seed = weft_test::fresh_seed();
  SCOPED_TRACE(weft_test::seed_text(seed));
  struct record {
    void* link = nullptr;
    std::atomic<std::uint64_t> state;  // Never constructed: zero in a fresh block. Even: free.
    std::uint64_t owner;
  };
  constexpr int rounds = static_cast<int>(weft_test::stress_count(300'000));
  slab_chunk_source source;
  slab_heap heaps[2] = {slab_heap(source), slab_heap(source)};
  shared_slab_heap shared(source);
  std::atomic<record*> passed[16] = {};
  std::atomic<int> working{3};
  std::atomic<int> errors{0};

  const auto let_go = [&](record* each, slab_heap* mine) {
    if (each == nullptr) return;
    const std::uint64_t owner = each->owner;
    each->owner = ~owner;
    if (each->state.fetch_add(1) % 2 != 1 || owner > 2) errors.fetch_add(1);
    slab_heap::release(each, mine);
  };
  weft_test::run_together(4, [&](std::size_t me) {
    random_source random(seed + me);
    if (me == 3) {
      while (working.load() != 0) {
        source.for_each_block([&](void* block, std::size_t bytes) {
          if (static_cast<record*>(block)->state.load() > 2 * 3 * rounds || bytes < 128) errors.fetch_add(1);
        });
      }
      return;
    }
    slab_heap* const mine = me < 2 ? &heaps[me] : nullptr;
    for (int i = 0; i < rounds; ++i) {
      const std::size_t bytes = 100 + random.below(300);
      void* const block = mine != nullptr ? mine->allocate(bytes) : shared.allocate(bytes);
      auto* const fresh = static_cast<record*>(block);
      if (fresh->state.fetch_add(1) % 2 != 0) errors.fetch_add(1);
      fresh->owner = me;
      let_go(passed[random.below(16)].exchange(fresh), mine);
    }
    working.fetch_sub(1);
  });
  for (auto& each : passed) let_go(each.load(), nullptr);

  std::size_t used = 0;
  source.for_each_block(
      [&](void* block, std::size_t) { used += static_cast<record*>(block)->state.load() != 0 ? 1 : 0; });
  std::size_t found = 0;
  const auto take_all = [&](auto& heap) {
    for (const std::size_t bytes : slab_heap::block_sizes) {
      while (static_cast<record*>(heap.allocate(bytes))->state.load() != 0) ++found;
    }
  };
  take_all(heaps[0]);
  take_all(heaps[1]);
  take_all(shared);
  EXPECT_EQ(found, used) << "blocks that nobody finds again";

  EXPECT_EQ(errors.load(), 0);
  std::size_t blocks = 0;
  source.for_each_block([&](void* block, std::size_t) {
    ++blocks;
    EXPECT_EQ(static_cast<record*>(block)->state.load() % 2, 0U);
  });
  EXPECT_LT(blocks, 3U * rounds) << "nothing was used again";
}

}  // namespace
