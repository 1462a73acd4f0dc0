// The checker against shapes whose outcomes are known: what C++20 forbids must not come out, and what it allows must,
// as far as the checker models it (see memory.h). The shapes are those of the literature on memory models, by their
// usual names: Alglave, Maranget and Tautschnig, "Herding Cats" (TOPLAS 2014).
#include <weft/mc/atomic.h>
#include <weft/mc/blocking.h>
#include <weft/mc/check.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/plain.h>

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace {

using namespace weft::detail;
namespace mc = weft::mc;

constexpr mc::bounds everything{100, 100, 100};
constexpr mc::bounds for_many_threads{1, 100, 100};  // All choices of stores, and of threads where one ends.

// The results of two to four loads, and how to tell of them.
struct results {
  int r[4] = {-1, -1, -1, -1};
};

// All results that `threads`, started together, can end with.
template <class Shape>
std::set<std::vector<int>> outcomes(std::size_t count, const mc::bounds& limits = everything) {
  std::set<std::vector<int>> all;
  const mc::verdict v = mc::check(
      [&] {
        Shape shape;
        results out;
        shape.run(out);
        const mc::engine_scope outside;
        all.insert(std::vector<int>(out.r, out.r + count));
      },
      limits);
  EXPECT_TRUE(v.holds) << v;
  EXPECT_TRUE(v.is_complete);
  return all;
}

template <class... Bodies>
void together(Bodies... bodies) {
  const mc::engine_scope outside;
  std::vector<std::unique_ptr<mc::thread>> all;
  (all.push_back(std::make_unique<mc::thread>(bodies)), ...);
  for (auto& each : all) each->join();
}

using outcome = std::vector<int>;

struct two_words {
  atomic<int> x{0};
  atomic<int> y{0};
};

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
