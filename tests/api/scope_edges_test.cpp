// Edge cases of scopes: errors of several generations, cancellation from every side, late children, every policy at its
// limits.
#include "support/errors_of.h"
#include "support/sleep_until_told.h"
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

// Sleeps until it is cancelled, and then throws an error of its own.
auto fails_when_cancelled(std::string with) {
  return [with] {
    try {
      sleep_for_ever();
    } catch (const weft::cancelled&) {
      throw std::runtime_error(with);
    }
  };
}

}  // namespace

// --- Errors ------------------------------------------------------------------------------------------------------------------

WEFT_TEST(scope_edges, one_error_comes_as_it_is) {
  EXPECT_THROW(weft::with_scope([](weft::scope&) { throw std::domain_error("body"); }), std::domain_error);
  EXPECT_THROW(weft::with_scope([](weft::scope& crew) { crew.spawn([] { throw std::range_error("child"); }); }),
               std::range_error);
  EXPECT_THROW(weft::with_scope([](weft::scope& crew) { crew.spawn([] { throw 5; }); }), int);
}

WEFT_TEST(scope_edges, errors_while_cleaning_up_come_along) {
  std::atomic<int> ready{0};
  const std::string text = errors_of([&] {
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 2; ++i) {
        crew.spawn([&] {
          ++ready;
          fails_when_cancelled("late")();
        });
      }
      yield_until([&] { return ready == 2; });
      throw std::runtime_error("body");
    });
  });
  EXPECT_EQ(text, "(body)(late)(late)");
}

WEFT_TEST(scope_edges, the_body_may_swallow_and_the_childs_error_still_comes) {
  EXPECT_EQ(errors_of([] {
              weft::with_scope([](weft::scope& crew) {
                crew.spawn([] { throw std::runtime_error("child"); });
                try {
                  sleep_for_ever();
                } catch (...) {
                }
              });
            }),
            "child");
}

WEFT_TEST(scope_edges, errors_pass_through_nested_scopes_and_cancel_on_the_way) {
  std::atomic<bool> sibling_waits{false};
  std::atomic<bool> sibling_cut{false};
  EXPECT_EQ(errors_of([&] {
              weft::with_scope([&](weft::scope& outer) {
                outer.spawn([&] {
                  try {
                    sibling_waits = true;
                    sleep_for_ever();
                  } catch (const weft::cancelled& cut) {
                    sibling_cut = cut.reason() == weft::cancel_reason::scope;
                    throw;
                  }
                });
                outer.spawn([&] {
                  yield_until([&] { return sibling_waits.load(); });
                  weft::with_scope([](weft::scope& inner) { inner.spawn([] { throw std::runtime_error("deep"); }); });
                });
                sleep_for_ever();
              });
            }),
            "deep");
  EXPECT_TRUE(sibling_cut);
}

WEFT_TEST(scope_edges, several_errors_of_a_nested_scope_stay_together) {
  std::atomic<int> ready{0};
  const std::string text = errors_of([&] {
    weft::with_scope([&](weft::scope& outer) {
      outer.spawn([&] {
        weft::with_scope([&](weft::scope& inner) {
          inner.spawn([&] {
            ++ready;
            fails_when_cancelled("b")();
          });
          yield_until([&] { return ready == 2; });
          throw std::runtime_error("a");
        });
      });
      ++ready;
      fails_when_cancelled("c")();
    });
  });
  EXPECT_EQ(text, "(c)((a)(b))");
}

WEFT_TEST(scope_edges, errors_are_said_in_the_text) {
  try {
    weft::with_scope([](weft::scope& crew) {
      std::atomic<bool> ready{false};
      crew.spawn([&] {
        ready = true;
        fails_when_cancelled("two")();
      });
      yield_until([&] { return ready.load(); });
      throw std::runtime_error("one");
    });
    FAIL();
  } catch (const weft::scope_errors& both) {
    EXPECT_TRUE(contains(both.what(), "one")) << both.what();
    EXPECT_TRUE(contains(both.what(), "two")) << both.what();
  }
}

WEFT_TEST(scope_edges, a_foreign_cancelled_out_of_the_body_is_an_error) {
  std::exception_ptr foreign;
  weft::move_on_after(0s, [&] {
    try {
      weft::this_fiber::yield();
    } catch (...) {
      foreign = std::current_exception();
    }
  });
  EXPECT_THROW(weft::with_scope([&](weft::scope& crew) {
                 crew.spawn(sleep_for_ever);
                 std::rethrow_exception(foreign);
               }),
               weft::cancelled);
  weft::this_fiber::yield();
}

// --- Cancellation --------------------------------------------------------------------------------------------------------------

WEFT_TEST(scope_edges, cancelling_twice_keeps_the_first_reason) {
  std::atomic<int> reason{-1};
  std::atomic<bool> ready{false};
  weft::with_scope([&](weft::scope& crew) {
    crew.spawn([&] {
      try {
        ready = true;
        sleep_for_ever();
      } catch (const weft::cancelled& cut) {
        reason = static_cast<int>(cut.reason());
      }
    });
    yield_until([&] { return ready.load(); });
    crew.cancel(weft::cancel_reason::shutdown);
    crew.cancel(weft::cancel_reason::user);
    EXPECT_TRUE(crew.is_cancelled());
  });
  EXPECT_EQ(reason, static_cast<int>(weft::cancel_reason::shutdown));
}

WEFT_TEST(scope_edges, cancelled_by_itself_runs_no_late_children_and_lets_the_body_go_on) {
  bool went_on = false;
  weft::with_scope([&](weft::scope& crew) {
    crew.cancel();
    crew.spawn([] { ADD_FAILURE() << "never runs"; });
    went_on = true;
  });
  EXPECT_TRUE(went_on);
  weft::with_scope([](weft::scope& crew) {
    crew.cancel();
    weft::this_fiber::yield();
    ADD_FAILURE() << "the body is cancelled, too";
  });
}

WEFT_TEST(scope_edges, a_child_may_cancel_its_scope_and_so_itself) {
  std::atomic<bool> went_on{false};
  weft::with_scope([&](weft::scope& crew) {
    crew.spawn([&] {
      crew.cancel();
      weft::this_fiber::yield();
      went_on = true;
    });
    sleep_for_ever();
  });
  EXPECT_FALSE(went_on);
}

WEFT_TEST(scope_edges, waits_for_children_that_shield_themselves) {
  weft::event ready, sleeps, told;
  bool finished = false;
  weft::timeout_scope within(1h);
  const auto body = [&] {
    weft::with_scope([&](weft::scope& crew) {
      crew.spawn([&] {
        weft::shield([&] {
          ready.set();
          told.wait();
          finished = true;
        });
      });
      crew.spawn([&] { sleep_until_told(sleeps, told); });
      ready.wait();
      sleeps.wait();
      EXPECT_TRUE(within.reschedule(1ms));
    });
  };
  EXPECT_THROW(within.run(body), weft::timed_out);
  EXPECT_TRUE(finished);
}

WEFT_TEST(scope_edges, cancelling_the_outermost_of_many_ends_all) {
  std::atomic<int> live{0}, began{0};
  constexpr int depth = 40;
  weft::with_scope([&](weft::scope& outermost) {
    const std::function<void(int)> nest = [&](int left) {
      struct counting {
        std::atomic<int>& live;
        explicit counting(std::atomic<int>& count) : live(count) { ++live; }
        ~counting() { --live; }
      } const here(live);
      ++began;
      if (left == 0) return sleep_for_ever();
      weft::with_scope([&](weft::scope& inner) { inner.spawn([&nest, left] { nest(left - 1); }); });
    };
    outermost.spawn([&] { nest(depth); });
    yield_until([&] { return began == depth + 1; });
    outermost.cancel();
  });
  EXPECT_EQ(live, 0);
}

WEFT_TEST(scope_edges, cancelling_an_inner_one_leaves_the_outer_one_alone) {
  bool outer_child_finished = false;
  weft::with_scope([&](weft::scope& outer) {
    outer.spawn([&] {
      weft::this_fiber::sleep_for(300us);
      outer_child_finished = true;
    });
    weft::with_scope([](weft::scope& inner) {
      inner.spawn(sleep_for_ever);
      inner.cancel();
    });
    EXPECT_FALSE(outer.is_cancelled());
    weft::this_fiber::yield();
  });
  EXPECT_TRUE(outer_child_finished);
}

WEFT_TEST(scope_edges, the_fibers_cancellation_wins_over_errors_which_are_reported) {
  std::atomic<bool> ready{false};
  auto f = weft::spawn([&] {
    weft::scope crew(weft::scope_policy::collect());
    crew.spawn([&] {
      ready = true;
      sleep_for_ever();
    });
    crew.join();
  });
  ASSERT_TRUE(yield_until([&] { return ready.load(); }));
  f.cancel();
  EXPECT_TRUE(ended_cancelled(f));
}

// --- Late children -----------------------------------------------------------------------------------------------------------------

WEFT_TEST(scope_edges, children_may_come_while_it_is_joined) {
  std::atomic<int> ran{0};
  weft::scope crew;
  const std::function<void(int)> chain = [&](int left) {
    weft::this_fiber::yield();
    ++ran;
    if (left > 0) crew.spawn([&chain, left] { chain(left - 1); });
  };
  crew.spawn([&chain] { chain(20); });
  crew.join();
  EXPECT_EQ(ran, 21);
  EXPECT_EQ(crew.live(), 0u);
  EXPECT_EQ(error_of([&] { crew.spawn([] {}); }), std::errc::operation_not_permitted);
  EXPECT_EQ(error_of([&] { crew.spawn_background([] {}); }), std::errc::operation_not_permitted);
  EXPECT_EQ(error_of([&] { crew.join(); }), std::errc::invalid_argument);
}

WEFT_TEST(scope_edges, a_closure_that_cannot_be_moved_in_leaves_the_scope_as_it_was) {
  struct stubborn {
    stubborn() = default;
    stubborn(const stubborn&) { throw std::domain_error("copy"); }
    void operator()() const {}
  } const call;
  weft::with_scope([&](weft::scope& crew) {
    EXPECT_THROW(crew.spawn(call), std::domain_error);
    EXPECT_EQ(crew.live(), 0u);
    crew.spawn([] {});
  });
}
