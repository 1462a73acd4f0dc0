// Litmus shapes of one word, of release sequences, and of read-modify-writes; see litmus_test.cpp.
#include "litmus.h"

namespace weft_mc {
namespace {

struct coherence_of_reads : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          x.store(2, relaxed);
        },
        [&] {
          out.r[0] = x.load(relaxed);
          out.r[1] = x.load(relaxed);
        });
  }
};

TEST(litmus, reads_of_one_word_do_not_go_back) {
  const auto all = outcomes<coherence_of_reads>(2);
  EXPECT_EQ(all, (std::set<outcome>{{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}}));
}

struct coherence_of_write_and_read : two_words {
  void run(results& out) {
    together([&] { x.store(1, relaxed); },
             [&] {
               x.store(2, relaxed);
               out.r[0] = x.load(relaxed);
             });
    out.r[1] = x.load(relaxed);
  }
};

TEST(litmus, a_thread_reads_its_own_store_or_a_newer_one) {
  EXPECT_EQ(outcomes<coherence_of_write_and_read>(2), (std::set<outcome>{{2, 2}, {2, 1}, {1, 1}}));
}

// Two readers agree on the order of two writers.
struct coherence_of_two_readers : two_words {
  void run(results& out) {
    together([&] { x.store(1, relaxed); }, [&] { x.store(2, relaxed); },
             [&] {
               out.r[0] = x.load(relaxed);
               out.r[1] = x.load(relaxed);
             },
             [&] {
               out.r[2] = x.load(relaxed);
               out.r[3] = x.load(relaxed);
             });
  }
};

TEST(litmus, all_readers_see_one_order_of_writes_to_a_word) {
  const auto all = outcomes<coherence_of_two_readers>(4, for_many_threads);
  EXPECT_TRUE(all.count({1, 2, 1, 2}));
  EXPECT_FALSE(all.count({1, 2, 2, 1}));
}

// A release sequence: the exchange of a third thread, relaxed, passes on what the first store published.
template <bool Replaces>
struct release_sequence : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          y.store(1, release);
        },
        [&] {
          if constexpr (Replaces) {
            int one = 1;
            y.compare_exchange_strong(one, 2, relaxed, relaxed);
          } else if (y.load(relaxed) == 1) {
            y.store(2, relaxed);
          }
        },
        [&] {
          out.r[0] = y.load(acquire);
          out.r[1] = x.load(relaxed);
        });
  }
};

TEST(litmus, a_read_modify_write_continues_a_release_sequence) {
  EXPECT_FALSE(outcomes<release_sequence<true>>(2).count({2, 0}));
}
TEST(litmus, a_store_ends_a_release_sequence) { EXPECT_TRUE(outcomes<release_sequence<false>>(2).count({2, 0})); }

struct counting : two_words {
  void run(results& out) {
    together([&] { x.fetch_add(1, relaxed); }, [&] { x.fetch_add(1, relaxed); }, [&] { x.fetch_add(1, relaxed); });
    out.r[0] = x.load(relaxed);
  }
};

TEST(litmus, read_modify_writes_lose_nothing) { EXPECT_EQ(outcomes<counting>(1), (std::set<outcome>{{3}})); }

struct one_winner : two_words {
  void run(results& out) {
    const auto race = [this](int& won) {
      int none = 0;
      won = x.compare_exchange_strong(none, 1, relaxed, relaxed) ? 1 : 0;
    };
    together([&] { race(out.r[0]); }, [&] { race(out.r[1]); });
  }
};

TEST(litmus, one_compare_and_swap_wins) { EXPECT_EQ(outcomes<one_winner>(2), (std::set<outcome>{{0, 1}, {1, 0}})); }

struct weak_exchange : two_words {
  void run(results& out) {
    int none = 0;
    out.r[0] = x.compare_exchange_weak(none, 1, relaxed, relaxed) ? 1 : 0;
  }
};

TEST(litmus, a_weak_compare_and_swap_fails_for_no_reason) {
  EXPECT_EQ(outcomes<weak_exchange>(1), (std::set<outcome>{{0}, {1}}));
}

// Write-to-read causality: what a thread has read, it passes on.
template <memory_order Store, memory_order Load>
struct causality : two_words {
  void run(results& out) {
    together([&] { x.store(1, relaxed); },
             [&] {
               out.r[0] = x.load(relaxed);
               y.store(1, Store);
             },
             [&] {
               out.r[1] = y.load(Load);
               out.r[2] = x.load(relaxed);
             });
  }
};

TEST(litmus, what_was_read_before_a_release_is_seen_after_its_acquire) {
  EXPECT_FALSE((outcomes<causality<release, acquire>>(3).count({1, 1, 0})));
}
TEST(litmus, what_was_read_is_not_passed_on_relaxed) {
  EXPECT_TRUE((outcomes<causality<relaxed, relaxed>>(3).count({1, 1, 0})));
}

// R: a store that is overwritten, and a read behind a fence.
template <bool WithFences>
struct read_behind_overwritten : two_words {
  void run(results& out) {
    together(
        [&] {
          x.store(1, relaxed);
          if (WithFences) full_fence();
          y.store(1, relaxed);
        },
        [&] {
          y.store(2, relaxed);
          if (WithFences) full_fence();
          out.r[0] = x.load(relaxed);
        });
    out.r[1] = y.load(relaxed);
  }
};

TEST(litmus, fences_order_overwriting_and_reading) {
  EXPECT_FALSE(outcomes<read_behind_overwritten<true>>(2).count({0, 2}));
  EXPECT_TRUE(outcomes<read_behind_overwritten<false>>(2).count({0, 2}));
}

}  // namespace
}  // namespace weft_mc
