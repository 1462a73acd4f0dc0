// What the checker says about plain memory: this file is compiled as production code is, with every access reported.
#include <weft/mc/blocking.h>
#include <weft/mc/check.h>

#include <gtest/gtest.h>

#include <memory>

#include <weft/detail/atomic.h>

namespace {

namespace mc = weft::mc;
using weft::detail::atomic;
using weft::detail::memory_order;
using weft::detail::relaxed;

struct pair {
  int content = 0;
  atomic<int> flag{0};
};

mc::verdict hand_over(memory_order by, memory_order to) {
  return mc::check([=] {
    const auto shared = std::make_unique<pair>();
    mc::thread writer([&] {
      shared->content = 1;
      shared->flag.store(1, by);
    });
    mc::thread reader([&] {
      if (shared->flag.load(to) == 1) mc::expect(shared->content == 1, "the content");
    });
    writer.join();
    reader.join();
  });
}

bool says(const mc::verdict& v, const char* what) { return !v.holds && v.failure.find(what) != std::string::npos; }

TEST(plain_memory, release_and_acquire_hand_it_over) {
  EXPECT_TRUE(hand_over(weft::detail::release, weft::detail::acquire).holds);
}

TEST(plain_memory, without_one_of_them_it_is_a_race) {
  EXPECT_TRUE(says(hand_over(relaxed, weft::detail::acquire), "data race"));
  EXPECT_TRUE(says(hand_over(weft::detail::release, relaxed), "data race"));
}

TEST(plain_memory, a_race_names_both_places) {
  const mc::verdict v = hand_over(relaxed, relaxed);
  EXPECT_TRUE(says(v, "a read of thread 2 at {")) << v.failure;
  EXPECT_TRUE(says(v, "after a write of thread 1 at {")) << v.failure;
}

TEST(plain_memory, neighbours_in_one_word_are_no_race) {
  const mc::verdict v = mc::check([] {
    struct {
      char left = 0;
      char right = 0;
    } shared;
    mc::thread a([&] { ++shared.left; });
    mc::thread b([&] { ++shared.right; });
    a.join();
    b.join();
    mc::expect(shared.left == 1 && shared.right == 1, "both");
  });
  EXPECT_TRUE(v.holds) << v;
}

TEST(plain_memory, two_reads_are_no_race_and_a_write_beside_them_is) {
  const auto look = [](bool writes) {
    return mc::check([=] {
      int shared = 1;
      int sum[2] = {};
      mc::thread a([&] { sum[0] = shared; });
      mc::thread b([&] { sum[1] = shared; });
      if (writes) shared = 2;
      a.join();
      b.join();
    });
  };
  EXPECT_TRUE(look(false).holds);
  EXPECT_TRUE(says(look(true), "data race"));
}

TEST(plain_memory, joining_orders) {
  const mc::verdict v = mc::check([] {
    int shared = 0;
    {
      mc::thread a([&] { shared = 1; });
    }
    mc::thread b([&] { shared = 2; });
    b.join();
    mc::expect(shared == 2, "the last one");
  });
  EXPECT_TRUE(v.holds) << v;
}

TEST(plain_memory, a_free_is_a_write) {
  const mc::verdict v = mc::check([] {
    auto* const shared = new int(1);
    int seen = 0;
    mc::thread a([&] { seen = *shared; });
    mc::thread b([&] { delete shared; });
    a.join();
    b.join();
  });
  EXPECT_TRUE(says(v, "data race")) << v.failure;
}

TEST(plain_memory, an_atomic_is_published_like_anything_else) {
  const mc::verdict v = mc::check([] {
    atomic<pair*> shown{nullptr};
    mc::thread a([&] { shown.store(new pair, relaxed); });
    mc::thread b([&] {
      if (pair* const p = shown.load(relaxed)) p->flag.store(1, relaxed);
    });
    a.join();
    b.join();
    delete shown.load(relaxed);
  });
  EXPECT_FALSE(v.holds);
}

}  // namespace
