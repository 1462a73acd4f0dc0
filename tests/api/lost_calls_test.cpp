// Calls that do not come to their end though nothing has cancelled their caller: it must not go on as if they had.
#include "support/runtime_checks.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

// What `body(tell)` throws under a shield while its runtime ends; `tell()` says that it waits.
template <class Thrown>
bool throws_at_shutdown(const std::function<void(const std::function<void()>&)>& body) {
  weft::runtime here(narrow(1));
  std::atomic<bool> waits{false}, has_thrown{false};
  here.spawn_detached([&] {
    weft::shield([&] {
      try {
        body([&] { waits = true; });
      } catch (const Thrown&) {
        has_thrown = true;
      }
    });
  });
  EXPECT_TRUE(eventually([&] { return waits.load(); }));
  EXPECT_TRUE(here.shutdown(long_enough).empty());
  return has_thrown;
}

struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(const throws_when_moved&) { throw std::domain_error("moved"); }
  throws_when_moved& operator=(const throws_when_moved&) = delete;
};

weft::options with_few_stacks() {
  weft::options wanted;
  wanted.cores = 1;
  wanted.max_stacks = 8;
  return wanted;
}

}  // namespace

TEST(lost_calls, of_a_map_whose_caller_is_shielded) {
  EXPECT_TRUE(throws_at_shutdown<weft::join_cancelled>([](const auto& tell) {
    const std::vector<std::string> made = weft::map(
        std::vector{1, 2, 3},
        [&](int) {
          tell();
          sleep_for_ever();
          return std::string(64, 'x');
        },
        2);
    ADD_FAILURE() << made.size() << " results that nobody made";
  }));
}

TEST(lost_calls, of_a_race_whose_caller_is_shielded) {
  EXPECT_TRUE(throws_at_shutdown<weft::join_cancelled>([](const auto& tell) {
    weft::race(sleep_for_ever, [&] {
      tell();
      sleep_for_ever();
    });
    ADD_FAILURE() << "nobody has won";
  }));
}

TEST(lost_calls, of_a_scope_whose_owner_is_shielded) {
  EXPECT_TRUE(throws_at_shutdown<weft::join_cancelled>([](const auto& tell) {
    weft::with_scope([&](weft::scope& crew) {
      crew.spawn([&] {
        tell();
        sleep_for_ever();
      });
    });
    ADD_FAILURE() << "the child was cut short";
  }));
}

TEST(lost_calls, of_a_scope_that_collects_are_no_errors) {
  EXPECT_FALSE(throws_at_shutdown<weft::join_cancelled>([](const auto& tell) {
    weft::scope crew(weft::scope_policy::collect());
    crew.spawn([&] {
      tell();
      sleep_for_ever();
    });
    crew.join();
    EXPECT_TRUE(crew.errors().empty());
  }));
}

// Cancelled by the scope itself, or in the background: that is how they are to end.
WEFT_TEST(lost_calls, are_not_what_the_scope_cancels) {
  weft::with_scope([](weft::scope& crew) {
    crew.spawn_background(sleep_for_ever);
    crew.spawn([] { weft::this_fiber::yield(); });
  });
  weft::scope crew;
  crew.spawn(sleep_for_ever);
  weft::this_fiber::yield();
  crew.cancel();
  EXPECT_NO_THROW(crew.join());
}

WEFT_TEST(lost_calls, of_a_race_whose_winner_cannot_be_moved) {
  EXPECT_THROW(static_cast<void>(weft::race([] { return throws_when_moved(); }, sleep_for_ever)), std::domain_error);
}

TEST(lost_calls, of_a_scope_without_stacks) {
  weft::run(with_few_stacks(), [] {
    weft::latch all(100);
    try {
      weft::with_scope([&](weft::scope& crew) {
        for (int i = 0; i < 100; ++i) crew.spawn([&] { all.arrive_and_wait(); });
      });
      ADD_FAILURE() << "a hundred fibers wait on eight stacks";
    } catch (const weft::scope_errors& errors) {
      EXPECT_FALSE(errors.errors().empty());
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::not_enough_memory) << error.what();
    }
    EXPECT_EQ(weft::spawn([] { return 1; }).join(), 1);
  });
}

TEST(lost_calls, of_a_scope_without_stacks_are_told_once) {
  int told_apart = 0;
  weft::options wanted = with_few_stacks();
  wanted.on_lost_error = [&](const weft::lost_error&) { ++told_apart; };
  weft::run(wanted, [] {
    weft::scope crew(weft::scope_policy::collect());
    weft::event all;
    for (int i = 0; i < 100; ++i) crew.spawn([&] { all.wait(); });
    ASSERT_TRUE(yield_until([&] { return crew.live() <= 8; }));
    all.set();
    crew.join();
    EXPECT_GE(crew.errors().size(), 92u);
  });
  EXPECT_EQ(told_apart, 0);
}

// It need not wait to be stopped.
TEST(lost_calls, of_a_map_after_an_error) {
  weft::options one;
  one.cores = 1;
  weft::run(one, [] {
    int called = 0;
    const std::vector<int> inputs(10'000, 1);
    const auto fails_at_once = [&](int) {
      if (++called == 1) throw std::domain_error("first");
      return 1;
    };
    EXPECT_THROW(static_cast<void>(weft::map(inputs, fails_at_once, 4)), std::domain_error);
    EXPECT_LT(called, 10);
  });
}

WEFT_TEST(lost_calls, of_a_body_that_joins_its_scope) {
  EXPECT_THROW(weft::with_scope([](weft::scope& crew) {
                 crew.spawn([] { throw std::domain_error("of a child"); });
                 crew.join();
               }),
               std::domain_error);
  EXPECT_THROW(weft::with_scope([](weft::scope& crew) {
                 crew.join();
                 throw std::domain_error("after the join");
               }),
               std::domain_error);
  std::size_t seen = 0;
  weft::with_scope(weft::scope_policy::collect(), [&](weft::scope& crew) {
    crew.spawn([] { throw std::domain_error("collected"); });
    crew.join();
    seen = crew.errors().size();
  });
  EXPECT_EQ(seen, 1u);
  EXPECT_THROW(weft::with_timeout(2ms,
                                  [] {
                                    weft::with_scope([](weft::scope& crew) {
                                      crew.spawn(sleep_for_ever);
                                      crew.join();
                                    });
                                  }),
               weft::timed_out);
}
