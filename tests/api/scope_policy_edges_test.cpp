// Edge cases of what scopes make of outcomes: every policy at its limits, background children, gather, race and map.
#include "support/errors_of.h"
#include "support/waiting.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

}  // namespace

// --- Policies ------------------------------------------------------------------------------------------------------------------------

WEFT_TEST(scope_policy_edges, any_of_nobody_is_told_that_nobody_succeeded) {
  EXPECT_THROW(weft::with_scope(weft::scope_policy::any(), [](weft::scope&) {}), weft::join_cancelled);
}

WEFT_TEST(scope_policy_edges, any_with_a_success_drops_the_errors) {
  weft::with_scope(weft::scope_policy::any(), [](weft::scope& crew) {
    crew.spawn([] { throw std::domain_error("dropped"); });
    crew.spawn([] { weft::this_fiber::sleep_for(100us); });
    crew.spawn(sleep_for_ever);
  });
}

WEFT_TEST(scope_policy_edges, a_quorum_out_of_reach_says_how_far_it_came) {
  const std::string text = message_of([] {
    weft::with_scope(weft::scope_policy::quorum(3), [](weft::scope& crew) {
      crew.spawn([] {});
      crew.spawn([] {});
    });
  });
  EXPECT_TRUE(contains(text, "2 children succeeded of the 3")) << text;
}

WEFT_TEST(scope_policy_edges, a_quorum_that_fails_throws_the_errors) {
  EXPECT_EQ(errors_of([] {
              weft::with_scope(weft::scope_policy::quorum(2), [](weft::scope& crew) {
                crew.spawn([] {});
                crew.spawn([] { throw std::runtime_error("no"); });
              });
            }),
            "no");
}

WEFT_TEST(scope_policy_edges, collect_keeps_every_error_and_throws_none) {
  weft::scope crew(weft::scope_policy::collect());
  for (int i = 0; i < 5; ++i) {
    crew.spawn([i] {
      if (i % 2 == 0) throw std::runtime_error("even");
    });
  }
  crew.join();
  EXPECT_EQ(crew.errors().size(), 3u);
  EXPECT_FALSE(crew.is_cancelled());
}

WEFT_TEST(scope_policy_edges, background_children_alone_are_ended_at_once) {
  std::atomic<int> reason{-1};
  weft::with_scope([&](weft::scope& crew) {
    std::atomic<bool> ready{false};
    crew.spawn_background([&] {
      try {
        ready = true;
        sleep_for_ever();
      } catch (const weft::cancelled& cut) {
        reason = static_cast<int>(cut.reason());
        throw;
      }
    });
    yield_until([&] { return ready.load(); });
  });
  EXPECT_EQ(reason, static_cast<int>(weft::cancel_reason::scope));
}

WEFT_TEST(scope_policy_edges, an_error_in_the_background_is_an_error) {
  EXPECT_EQ(errors_of([] {
              weft::with_scope([](weft::scope& crew) {
                crew.spawn_background([] { throw std::runtime_error("behind"); });
                sleep_for_ever();
              });
            }),
            "behind");
}

// --- gather, race, map -------------------------------------------------------------------------------------------------------------------

WEFT_TEST(gather_edges, of_nothing_is_nothing) {
  EXPECT_EQ(std::tuple_size_v<decltype(weft::gather())>, 0u);
  std::vector<std::function<int()>> nothing;
  EXPECT_TRUE(weft::gather(nothing).empty());
  EXPECT_TRUE(weft::map(
                  std::vector<int>{}, [](int i) { return i; }, 4)
                  .empty());
}

WEFT_TEST(gather_edges, the_first_error_cancels_those_that_wait) {
  std::atomic<bool> waits{false}, cut{false};
  EXPECT_THROW(weft::gather(
                   [&] {
                     try {
                       waits = true;
                       sleep_for_ever();
                     } catch (const weft::cancelled&) {
                       cut = true;
                       throw;
                     }
                   },
                   [&] {
                     yield_until([&] { return waits.load(); });
                     throw std::domain_error("first");
                   }),
               std::domain_error);
  EXPECT_TRUE(cut);
}

WEFT_TEST(gather_edges, a_cancelled_caller_ends_all_of_it) {
  std::atomic<int> live{0};
  std::atomic<bool> ready{false};
  auto f = weft::spawn([&] {
    const auto part = [&] {
      ++live;
      ready = true;
      try {
        sleep_for_ever();
      } catch (...) {
        --live;
        throw;
      }
    };
    weft::gather(part, part, part);
  });
  ASSERT_TRUE(yield_until([&] { return ready.load(); }));
  f.cancel();
  EXPECT_TRUE(ended_cancelled(f));
  EXPECT_EQ(live, 0);
}

WEFT_TEST(race_edges, a_cancelled_racer_is_no_winner) {
  const auto won = weft::race(
      [] {
        weft::with_scope([](weft::scope& crew) {
          crew.cancel();
          weft::this_fiber::yield();
        });
        weft::this_fiber::sleep_for(1h);
        return 1;
      },
      [] {
        weft::this_fiber::sleep_for(200us);
        return 2;
      });
  EXPECT_EQ(won.index(), 1u);
  EXPECT_EQ(std::get<1>(won), 2);
}

WEFT_TEST(race_edges, waits_for_losers_that_clean_up) {
  std::atomic<bool> ready{false};
  bool cleaned = false;
  const auto won = weft::race(
      [&] {
        try {
          ready = true;
          sleep_for_ever();
        } catch (const weft::cancelled&) {
          weft::shield([] { weft::this_fiber::sleep_for(200us); });
          cleaned = true;
          throw;
        }
      },
      [&] { yield_until([&] { return ready.load(); }); });
  EXPECT_EQ(won.index(), 1u);
  EXPECT_TRUE(cleaned);
}
