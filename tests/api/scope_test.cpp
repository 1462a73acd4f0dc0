// Scopes: children that end before their parent goes on, and what becomes of their errors.
#include "support/with_cores.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

struct first_error : std::runtime_error {
  first_error() : std::runtime_error("first") {}
};
struct second_error : std::runtime_error {
  second_error() : std::runtime_error("second") {}
};

// Sleeps until it is cancelled, and says why it was.
auto sleeper(std::atomic<int>& cancelled_for, weft::cancel_reason wanted) {
  return [&cancelled_for, wanted] {
    try {
      sleep_for_ever();
    } catch (const weft::cancelled& cut) {
      EXPECT_EQ(weft::to_string(cut.reason()), std::string(weft::to_string(wanted)));
      ++cancelled_for;
      throw;
    }
  };
}

}  // namespace

// --- Children and their parent's frame ---------------------------------------------------------------------------------------

WEFT_TEST(scope, waits_for_its_children_which_borrow_its_frame) {
  std::array<int, 100> squares{};
  weft::with_scope([&](weft::scope& crew) {
    for (int i = 0; i < 100; ++i) {
      crew.spawn([&squares, i] {
        weft::this_fiber::yield();
        squares[static_cast<std::size_t>(i)] = i * i;
      });
    }
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(squares[static_cast<std::size_t>(i)], i * i);
}

WEFT_TEST(scope, destroys_a_closure_before_it_ends) {
  const auto kept = std::make_shared<int>(1);
  weft::with_scope([&](weft::scope& crew) {
    for (int i = 0; i < 10; ++i) crew.spawn([kept] { weft::this_fiber::yield(); });
  });
  EXPECT_EQ(kept.use_count(), 1);
}

WEFT_TEST(scope, may_be_empty) {
  weft::with_scope([](weft::scope&) {});
  weft::scope crew;
  EXPECT_EQ(crew.live(), 0u);
  crew.join();
}

WEFT_TEST(scope, lets_children_spawn_siblings) {
  std::atomic<int> ran{0};
  const std::function<void(weft::scope&, int)> grow = [&](weft::scope& crew, int depth) {
    ++ran;
    if (depth == 0) return;
    crew.spawn([&, depth] { grow(crew, depth - 1); });
    crew.spawn([&, depth] { grow(crew, depth - 1); });
  };
  weft::with_scope([&](weft::scope& crew) { crew.spawn([&] { grow(crew, 6); }); });
  EXPECT_EQ(ran, 127);
}

WEFT_TEST(scope, takes_attributes) {
  weft::with_scope([](weft::scope& crew) {
    crew.spawn({.name = "child"}, [] { EXPECT_EQ(weft::this_fiber::name(), "child"); });
    crew.spawn({.core = 0}, [] { EXPECT_EQ(weft::this_fiber::core(), 0u); });
  });
}

WEFT_TEST(scope, refuses_children_once_it_is_joined) {
  weft::scope crew;
  crew.join();
  try {
    crew.spawn([] {});
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::operation_not_permitted) << error.what();
  }
  EXPECT_THROW(crew.join(), std::system_error);
}

WEFT_TEST(scope, once_joined_has_nothing_left_to_cancel) {
  weft::scope crew;
  crew.spawn([] {});
  crew.join();
  crew.cancel();
  weft::this_fiber::yield();
  EXPECT_EQ(weft::spawn([] { return 1; }).join(), 1);
}

TEST(scope, outside_a_fiber_is_an_error) { EXPECT_THROW(weft::scope{}, std::system_error); }

WEFT_TEST(scope, refuses_a_quorum_of_none) {
  EXPECT_THROW(weft::scope{weft::scope_policy::quorum(0)}, std::invalid_argument);
}

// --- Errors ------------------------------------------------------------------------------------------------------------------

WEFT_TEST(scope, throws_a_childs_error_and_cancels_the_others_and_the_body) {
  std::atomic<int> cancelled{0};
  EXPECT_THROW(weft::with_scope([&](weft::scope& crew) {
                 crew.spawn(sleeper(cancelled, weft::cancel_reason::scope));
                 crew.spawn([&] {
                   while (crew.live() < 2) weft::this_fiber::yield();
                   throw first_error();
                 });
                 sleeper(cancelled, weft::cancel_reason::scope)();
               }),
               first_error);
  EXPECT_GE(cancelled, 1);
  EXPECT_LE(cancelled, 2);  // A child that had not begun never runs.
  weft::this_fiber::yield();
}

WEFT_TEST(scope, throws_the_bodys_error_and_cancels_the_children) {
  std::atomic<bool> began{false};
  std::atomic<int> cancelled{0};
  EXPECT_THROW(weft::with_scope([&](weft::scope& crew) {
                 crew.spawn([&] {
                   began = true;
                   sleeper(cancelled, weft::cancel_reason::scope)();
                 });
                 ASSERT_TRUE(yield_until([&] { return began.load(); }));
                 throw second_error();
               }),
               second_error);
  EXPECT_EQ(cancelled, 1);
}

WEFT_TEST(scope, holds_several_errors_together) {
  std::atomic<int> ready{0};
  try {
    weft::with_scope([&](weft::scope& crew) {
      const auto failing = [&](auto error) {
        return [&, error] {
          weft::shield([&] {
            ++ready;
            while (ready < 3) weft::this_fiber::yield();
          });
          throw error;
        };
      };
      crew.spawn(failing(first_error()));
      crew.spawn(failing(second_error()));
      crew.spawn(failing(7));
    });
    FAIL();
  } catch (const weft::scope_errors& together) {
    EXPECT_EQ(together.errors().size(), 3u);
    const std::string text = together.what();
    EXPECT_NE(text.find("first"), std::string::npos) << text;
    EXPECT_NE(text.find("second"), std::string::npos) << text;
  }
}

WEFT_TEST(scope, without_a_join_cancels_waits_and_reports) {
  const auto kept = std::make_shared<int>(1);
  {
    weft::scope crew;
    for (int i = 0; i < 10; ++i) {
      crew.spawn([kept] { sleep_for_ever(); });
    }
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(scope, reports_errors_that_nobody_gets) {
  std::mutex gate;
  std::vector<std::string> lost;
  weft::options wanted;
  wanted.cores = 2;
  wanted.on_lost_error = [&](const weft::lost_error& error) {
    const std::lock_guard hold(gate);
    lost.emplace_back(error.fiber_name);
  };
  weft::run(wanted, [] {
    std::atomic<bool> failed{false};
    weft::scope crew;
    crew.spawn([&] {
      failed = true;
      throw first_error();
    });
    weft::shield([&] { ASSERT_TRUE(yield_until([&] { return failed && crew.live() == 0; })); });
  });
  EXPECT_EQ(lost, std::vector<std::string>{"main"});
}

// --- Policies ----------------------------------------------------------------------------------------------------------------

WEFT_TEST(scope, any_is_content_with_one_success) {
  std::atomic<int> done{0};
  weft::with_scope(weft::scope_policy::any(), [&](weft::scope& crew) {
    crew.spawn([] { throw first_error(); });
    crew.spawn(sleep_for_ever);
    crew.spawn([&] { ++done; });
  });
  EXPECT_EQ(done, 1);
}

WEFT_TEST(scope, any_throws_when_all_fail) {
  EXPECT_THROW(weft::with_scope(weft::scope_policy::any(),
                                [](weft::scope& crew) {
                                  crew.spawn([] { throw first_error(); });
                                  crew.spawn([] { throw second_error(); });
                                }),
               weft::scope_errors);
  EXPECT_THROW(weft::with_scope(weft::scope_policy::any(), [](weft::scope&) {}), weft::join_cancelled);
}

WEFT_TEST(scope, a_quorum_cancels_the_rest_once_it_is_reached) {
  std::atomic<int> done{0};
  weft::with_scope(weft::scope_policy::quorum(2), [&](weft::scope& crew) {
    for (int i = 0; i < 2; ++i) crew.spawn([&] { ++done; });
    for (int i = 0; i < 3; ++i) crew.spawn(sleep_for_ever);
  });
  EXPECT_EQ(done, 2);
}

WEFT_TEST(scope, collect_lets_everybody_finish) {
  std::atomic<int> done{0};
  weft::scope crew(weft::scope_policy::collect());
  crew.spawn([] { throw first_error(); });
  crew.spawn([&] {
    weft::this_fiber::sleep_for(1ms);
    ++done;
  });
  crew.spawn([] { throw second_error(); });
  crew.join();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(crew.errors().size(), 2u);
}

WEFT_TEST(scope, ends_what_serves_in_the_background_last) {
  std::atomic<int> cancelled{0};
  std::atomic<bool> serves{false};
  weft::with_scope([&](weft::scope& crew) {
    crew.spawn_background([&] {
      serves = true;
      sleeper(cancelled, weft::cancel_reason::scope)();
    });
    crew.spawn([&] { ASSERT_TRUE(yield_until([&] { return serves.load(); })); });
  });
  EXPECT_EQ(cancelled, 1);
}

// --- Cancellation ------------------------------------------------------------------------------------------------------------

WEFT_TEST_EACH_REACTOR(scope, under_a_timeout_takes_its_children_along) {
  std::atomic<int> cancelled{0};
  EXPECT_THROW(weft::with_timeout(2ms,
                                  [&] {
                                    weft::with_scope([&](weft::scope& crew) {
                                      for (int i = 0; i < 10; ++i) {
                                        crew.spawn(sleeper(cancelled, weft::cancel_reason::deadline));
                                      }
                                    });
                                  }),
               weft::timed_out);
  EXPECT_LE(cancelled, 10);
}

WEFT_TEST(scope, of_a_cancelled_fiber_takes_its_children_along) {
  std::atomic<int> began{0};
  std::atomic<int> ended{0};
  auto f = weft::spawn([&] {
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 10; ++i) {
        crew.spawn([&] {
          ++began;
          sleeper(ended, weft::cancel_reason::user)();
        });
      }
    });
  });
  ASSERT_TRUE(yield_until([&] { return began == 10; }));
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_EQ(ended, 10);
}

WEFT_TEST(scope, that_is_cancelled_by_itself_ends_quietly) {
  weft::with_scope([](weft::scope& crew) {
    crew.spawn(sleep_for_ever);
    crew.spawn([&crew] { crew.cancel(); });
    sleep_for_ever();
  });
  weft::with_scope([](weft::scope& crew) {
    crew.cancel();
    EXPECT_TRUE(crew.is_cancelled());
    crew.spawn([] { ADD_FAILURE() << "born cancelled, it never runs"; });
  });
  weft::this_fiber::yield();
}

WEFT_TEST(scope, that_waits_shielded_still_ends_its_children) {
  weft::event go;
  std::atomic<bool> sleeps{false}, is_shielded{false}, is_told{false}, ended{false};
  auto f = weft::spawn([&] {
    weft::scope crew;
    crew.spawn([&] {
      try {
        sleeps = true;
        sleep_for_ever();
      } catch (const weft::cancelled&) {
        is_told = true;
        throw;
      }
    });
    crew.spawn([&] {
      weft::shield([&] {
        is_shielded = true;
        go.wait();
      });
      ended = true;
    });
    crew.join();
  });
  EXPECT_TRUE(yield_until([&] { return sleeps && is_shielded; }));
  f.cancel();
  EXPECT_TRUE(yield_until([&] { return is_told.load(); }));
  go.set();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_TRUE(ended);
}

WEFT_TEST(scope, nests) {
  EXPECT_THROW(weft::with_scope([](weft::scope& outer) {
                 outer.spawn([] {
                   weft::with_scope([](weft::scope& inner) {
                     inner.spawn(sleep_for_ever);
                     inner.spawn([] { throw first_error(); });
                   });
                 });
                 outer.spawn(sleep_for_ever);
               }),
               first_error);
}

// The scope lies in a frame that is gone the moment the join returns.
WEFT_TEST(scope, may_die_the_moment_its_last_child_ends) {
  for (std::size_t i = 0; i < repeated(3'000, 300); ++i) {
    const auto crew = std::make_unique<weft::scope>();
    for (int k = 0; k < 3; ++k) {
      crew->spawn([k] {
        if (k == 1) weft::this_fiber::yield();
      });
    }
    crew->join();
  }
}

WEFT_TEST(scope, survives_errors_cancellation_and_timeouts_at_once) {
  for (std::size_t i = 0; i < repeated(300, 60); ++i) {
    auto f = weft::spawn([i] {
      weft::move_on_after(std::chrono::microseconds(i % 50), [&] {
        weft::with_scope([&](weft::scope& crew) {
          for (int k = 0; k < 5; ++k) {
            crew.spawn([i, k] {
              weft::this_fiber::sleep_for(std::chrono::microseconds((i * 7 + static_cast<std::size_t>(k)) % 40));
              if (k == 3) throw first_error();
            });
          }
          weft::this_fiber::sleep_for(30us);
        });
      });
    });
    weft::this_fiber::sleep_for(std::chrono::microseconds(i % 40));
    if (i % 2 == 0) f.cancel();
    try {
      f.join();
    } catch (const weft::join_cancelled&) {
    } catch (const first_error&) {
    }
  }
}
