// The checker against shapes whose outcomes are known: what C++20 forbids must not come out, and what it allows must,
// as far as the checker models it (see memory.h). The shapes are those of the literature on memory models, by their
// usual names: Alglave, Maranget and Tautschnig, "Herding Cats" (TOPLAS 2014).
#include "litmus.h"

namespace weft_mc {
namespace {

template <memory_order Store, memory_order Load, bool WithFence = false>
struct store_buffering : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, Store);
          if (WithFence) full_fence();
          out.r[0] = y.load(Load);
        },
        [&] {
          y.store(1, Store);
          if (WithFence) full_fence();
          out.r[1] = x.load(Load);
        });
  }
};

TEST(litmus, store_buffering_is_allowed_without_seq_cst) {
  EXPECT_TRUE((outcomes<store_buffering<relaxed, relaxed>>(2).count({0, 0})));
  EXPECT_TRUE((outcomes<store_buffering<release, acquire>>(2).count({0, 0})));
  EXPECT_TRUE((outcomes<store_buffering<seq_cst, acquire>>(2).count({0, 0})));
  EXPECT_TRUE((outcomes<store_buffering<release, seq_cst>>(2).count({0, 0})));
}

TEST(litmus, store_buffering_is_forbidden_with_seq_cst_accesses) {
  EXPECT_EQ((outcomes<store_buffering<seq_cst, seq_cst>>(2)), (std::set<outcome>{{0, 1}, {1, 0}, {1, 1}}));
}

TEST(litmus, store_buffering_is_forbidden_with_fences) {
  EXPECT_EQ((outcomes<store_buffering<relaxed, relaxed, true>>(2)), (std::set<outcome>{{0, 1}, {1, 0}, {1, 1}}));
}

struct store_buffering_one_fence : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          full_fence();
          out.r[0] = y.load(relaxed);
        },
        [&] {
          y.store(1, relaxed);
          out.r[1] = x.load(relaxed);
        });
  }
};

TEST(litmus, store_buffering_is_allowed_with_one_fence) {
  EXPECT_TRUE(outcomes<store_buffering_one_fence>(2).count({0, 0}));
}

struct store_buffering_mixed : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          full_fence();
          out.r[0] = y.load(relaxed);
        },
        [&] {
          y.store(1, seq_cst);
          out.r[1] = x.load(seq_cst);
        });
  }
};

TEST(litmus, store_buffering_is_forbidden_with_a_fence_and_accesses) {
  EXPECT_FALSE(outcomes<store_buffering_mixed>(2).count({0, 0}));
}

// An exchange between store and load is no fence.
struct store_buffering_exchange : two_words {
  atomic<int> a{0}, b{0};
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          a.exchange(1, seq_cst);
          out.r[0] = y.load(relaxed);
        },
        [&] {
          y.store(1, relaxed);
          b.exchange(1, seq_cst);
          out.r[1] = x.load(relaxed);
        });
  }
};

TEST(litmus, store_buffering_is_allowed_across_seq_cst_exchanges_of_other_words) {
  EXPECT_TRUE(outcomes<store_buffering_exchange>(2).count({0, 0}));
}

template <memory_order Store, memory_order Load, bool WithFences = false>
struct message_passing : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          if (WithFences) mc::fence(release, std::source_location::current());
          y.store(1, Store);
        },
        [&] {
          out.r[0] = y.load(Load);
          if (WithFences) mc::fence(acquire, std::source_location::current());
          out.r[1] = x.load(relaxed);
        });
  }
};

TEST(litmus, message_passing_needs_release_and_acquire) {
  EXPECT_FALSE((outcomes<message_passing<release, acquire>>(2).count({1, 0})));
  EXPECT_FALSE((outcomes<message_passing<seq_cst, seq_cst>>(2).count({1, 0})));
  EXPECT_TRUE((outcomes<message_passing<relaxed, acquire>>(2).count({1, 0})));
  EXPECT_TRUE((outcomes<message_passing<release, relaxed>>(2).count({1, 0})));
  EXPECT_TRUE((outcomes<message_passing<relaxed, relaxed>>(2).count({1, 0})));
}

TEST(litmus, message_passing_works_with_fences) {
  EXPECT_FALSE((outcomes<message_passing<relaxed, relaxed, true>>(2).count({1, 0})));
}

struct load_buffering : two_words {
  void run(results& out) {
    together(
        [&] {
          out.r[0] = y.load(relaxed);
          x.store(1, relaxed);
        },
        [&] {
          out.r[1] = x.load(relaxed);
          y.store(1, relaxed);
        });
  }
};

// C++20 allows {1, 1} here; the checker does not model it, and says so.
TEST(litmus, load_buffering_is_not_modelled) { EXPECT_FALSE(outcomes<load_buffering>(2).count({1, 1})); }

template <memory_order Store, memory_order Load, bool WithFences = false>
struct independent_reads : two_words {
  void run(results& out) {
    const auto read_both = [](atomic<int>& first, atomic<int>& second, int& one, int& two) {
      one = first.load(Load);
      if (WithFences) full_fence();
      two = second.load(Load);
    };
    together([&] { x.store(1, Store); }, [&] { y.store(1, Store); }, [&] { read_both(x, y, out.r[0], out.r[1]); },
             [&] { read_both(y, x, out.r[2], out.r[3]); });
  }
};

TEST(litmus, independent_readers_may_disagree_on_the_order_of_writes) {
  EXPECT_TRUE((outcomes<independent_reads<release, acquire>>(4, for_many_threads).count({1, 0, 1, 0})));
}

TEST(litmus, independent_readers_agree_with_seq_cst) {
  EXPECT_FALSE((outcomes<independent_reads<seq_cst, seq_cst>>(4, for_many_threads).count({1, 0, 1, 0})));
  EXPECT_FALSE((outcomes<independent_reads<relaxed, relaxed, true>>(4, for_many_threads).count({1, 0, 1, 0})));
}

struct two_plus_two_writes : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          y.store(2, relaxed);
        },
        [&] {
          y.store(1, relaxed);
          x.store(2, relaxed);
        });
    out.r[0] = x.load(relaxed);
    out.r[1] = y.load(relaxed);
  }
};

// C++20 allows {1, 1} here; the checker's modification order is the order of execution.
TEST(litmus, two_plus_two_writes_follow_the_order_of_execution) {
  EXPECT_EQ(outcomes<two_plus_two_writes>(2), (std::set<outcome>{{1, 2}, {2, 1}, {2, 2}}));
}

}  // namespace
}  // namespace weft_mc
