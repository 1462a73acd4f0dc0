// Edge cases of timeouts and shields: several at once, errors beside them, deadlines that move, destructors and handlers
// that wait, and who is reached.
#include "support/waiting.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

template <class F>
std::optional<weft::cancel_reason> reason_of(F f) {
  try {
    f();
  } catch (const weft::cancelled& cut) {
    return cut.reason();
  }
  return {};
}

template <class F>
struct finally {
  F f;
  ~finally() { f(); }
};
template <class F>
finally(F) -> finally<F>;

}  // namespace

// --- What comes out --------------------------------------------------------------------------------------------------------

WEFT_TEST(timeout_edges, an_error_after_the_deadline_is_that_error) {
  EXPECT_THROW(weft::with_timeout(0s,
                                  [] {
                                    try {
                                      weft::this_fiber::yield();
                                    } catch (const weft::cancelled&) {
                                      throw std::domain_error("while cleaning up");
                                    }
                                  }),
               std::domain_error);
  weft::this_fiber::yield();
}

WEFT_TEST(timeout_edges, an_error_before_the_deadline_is_that_error) {
  weft::timeout_scope within(1h);
  EXPECT_THROW(within.run([] { throw std::domain_error("first"); }), std::domain_error);
  EXPECT_FALSE(within.expired());
}

WEFT_TEST(timeout_edges, ones_own_timed_out_is_no_other_timeouts) {
  bool inner = false;
  weft::with_timeout(1h, [&] {
    try {
      throw weft::timed_out("of somebody else");
    } catch (const weft::timed_out&) {
      inner = true;
    }
    weft::this_fiber::yield();
  });
  EXPECT_TRUE(inner);
  weft::timeout_scope within(1h);
  EXPECT_THROW(within.run([] { throw weft::timed_out("of somebody else"); }), weft::timed_out);
  EXPECT_FALSE(within.expired());
}

WEFT_TEST(timeout_edges, somebody_elses_cancelled_is_no_timeout) {
  std::exception_ptr foreign;
  weft::move_on_after(0s, [&] {
    try {
      weft::this_fiber::yield();
    } catch (...) {
      foreign = std::current_exception();
    }
  });
  EXPECT_THROW(weft::with_timeout(1h, [&] { std::rethrow_exception(foreign); }), weft::cancelled);
  EXPECT_THROW(weft::move_on_after(1h, [&] { std::rethrow_exception(foreign); }), weft::cancelled);
  weft::this_fiber::yield();
}

WEFT_TEST(timeout_edges, a_body_that_outlives_its_deadline_without_waiting_succeeds) {
  weft::timeout_scope within(1us);
  const auto until = std::chrono::steady_clock::now() + 50us;
  EXPECT_EQ(within.run([&] {
    while (std::chrono::steady_clock::now() < until) {
    }
    return 7;
  }),
            7);
}

WEFT_TEST(timeout_edges, a_deadline_that_passed_in_the_body_is_met_at_the_next_wait) {
  EXPECT_FALSE(weft::move_on_after(1us, [] {
    const auto until = std::chrono::steady_clock::now() + 50us;
    while (std::chrono::steady_clock::now() < until) {
    }
    sleep_for_ever();
  }));
}

WEFT_TEST(timeout_edges, of_many_nested_ones_that_throws_whose_deadline_it_was) {
  for (int which = 0; which < 6; ++which) {
    int thrower = -1;
    const std::function<void(int)> nest = [&](int depth) {
      if (depth == 6) return sleep_for_ever();
      try {
        weft::with_timeout(depth == which ? weft::deadline(300us) : weft::deadline(1h), [&] { nest(depth + 1); });
      } catch (const weft::timed_out&) {
        EXPECT_EQ(thrower, -1);
        thrower = depth;
      }
    };
    nest(0);
    EXPECT_EQ(thrower, which);
  }
}

// The mark of a level is shared by all that were cancelled there.
WEFT_TEST(timeout_edges, an_inner_one_that_ends_leaves_the_outer_one_passed) {
  bool was_cut_again = false;
  const auto body = [&] {
    try {
      weft::with_timeout(0ns, [] { weft::this_fiber::sleep_for(1ms); });
      ADD_FAILURE() << "slept";
    } catch (const weft::cancelled&) {
    } catch (const weft::timed_out&) {
    }
    try {
      weft::this_fiber::sleep_for(1ms);
    } catch (const weft::cancelled&) {
      was_cut_again = true;
      throw;
    }
  };
  EXPECT_THROW(weft::with_timeout(0ns, body), weft::timed_out);
  EXPECT_TRUE(was_cut_again);
}

WEFT_TEST(timeout_edges, repeated_ones_leave_nothing_behind) {
  for (std::size_t i = 0; i < repeated(2'000, 200); ++i) {
    EXPECT_EQ(
        weft::move_on_after(i % 2 == 0 ? weft::deadline(1h) : weft::deadline(0s), [] { weft::this_fiber::yield(); }),
        i % 2 == 0);
  }
}

// --- Moving deadlines ------------------------------------------------------------------------------------------------------

WEFT_TEST(timeout_edges, a_deadline_can_be_moved_into_the_past_and_away) {
  weft::timeout_scope into_the_past(1h);
  EXPECT_THROW(into_the_past.run([&] {
    EXPECT_TRUE(into_the_past.reschedule(-1s));
    EXPECT_FALSE(into_the_past.reschedule(1h)) << "it has expired";
    weft::this_fiber::yield();
  }),
               weft::timed_out);
  weft::timeout_scope away(1h);
  away.run([&] {
    EXPECT_TRUE(away.reschedule(weft::deadline::never()));
    EXPECT_TRUE(away.when().is_never());
    EXPECT_TRUE(away.reschedule(1h));
    EXPECT_TRUE(away.reschedule(weft::deadline::never()));
    weft::this_fiber::yield();
  });
  weft::timeout_scope from_never{weft::deadline::never()};
  EXPECT_THROW(from_never.run([&] {
    EXPECT_TRUE(from_never.reschedule(100us));
    sleep_for_ever();
  }),
               weft::timed_out);
}

WEFT_TEST(timeout_edges, after_its_end_a_deadline_cannot_be_moved) {
  weft::timeout_scope over(0s);
  EXPECT_THROW(over.run([] { weft::this_fiber::yield(); }), weft::timed_out);
  EXPECT_FALSE(over.reschedule(1h));
  weft::this_fiber::yield();
}

// Steps that together take longer than the limit. On a busy machine one alone may: then once more, with more time.
WEFT_TEST(timeout_edges, each_step_can_prolong_it) {
  for (auto limit = 10ms; limit < long_enough; limit *= 2) {
    auto prolonged_at = std::chrono::steady_clock::now();
    weft::timeout_scope idle(limit);
    try {
      idle.run([&] {
        for (int i = 0; i < 4; ++i) {
          weft::this_fiber::sleep_for(limit / 2);
          const auto now = std::chrono::steady_clock::now();
          if (!idle.reschedule(limit)) weft::this_fiber::yield();
          prolonged_at = now;
        }
      });
      return;
    } catch (const weft::timed_out&) {
      ASSERT_GE(std::chrono::steady_clock::now() - prolonged_at, limit);
    }
  }
  ADD_FAILURE() << "no step was quick enough";
}

// --- Destructors and handlers ------------------------------------------------------------------------------------------------

WEFT_TEST(timeout_edges, a_timeout_in_a_destructor_works_during_unwinding) {
  bool cut_short = false;
  EXPECT_THROW(
      {
        const finally at_end{[&] { cut_short = !weft::move_on_after(100us, sleep_for_ever); }};
        throw std::domain_error("unwinds");
      },
      std::domain_error);
  EXPECT_TRUE(cut_short);
}

WEFT_TEST(timeout_edges, a_timeout_in_a_destructor_works_while_a_cancelled_fiber_unwinds) {
  std::atomic<bool> began{false};
  bool cut_short = false, waited = false;
  auto f = weft::spawn([&] {
    const finally at_end{[&] {
      cut_short = !weft::move_on_after(100us, sleep_for_ever);
      waited = weft::move_on_after(1h, [] { weft::this_fiber::sleep_for(100us); });
    }};
    began = true;
    sleep_for_ever();
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel();
  EXPECT_TRUE(ended_cancelled(f));
  EXPECT_TRUE(cut_short);
  EXPECT_TRUE(waited) << "the cancellation of the fiber stays outside";
}

WEFT_TEST(timeout_edges, a_scope_in_a_destructor_works_during_unwinding) {
  bool failed = false;
  EXPECT_THROW(
      {
        const finally at_end{[&] {
          try {
            weft::with_scope([](weft::scope& crew) {
              crew.spawn([] { throw std::range_error("child"); });
              sleep_for_ever();  // Until the child's error cancels us.
            });
          } catch (const std::range_error&) {
            failed = true;
          }
        }};
        throw std::domain_error("unwinds");
      },
      std::domain_error);
  EXPECT_TRUE(failed);
}

WEFT_TEST(timeout_edges, an_outer_deadline_does_not_cut_a_destructor_short_that_unwinds) {
  bool finished = false;
  EXPECT_THROW(weft::with_timeout(100us,
                                  [&] {
                                    const finally at_end{[&] {
                                      weft::this_fiber::sleep_for(300us);
                                      finished = true;
                                    }};
                                    sleep_for_ever();
                                  }),
               weft::timed_out);
  EXPECT_TRUE(finished);
}

WEFT_TEST(timeout_edges, in_a_handler_timeouts_work_and_the_handled_error_stays) {
  try {
    try {
      throw std::domain_error("handled");
    } catch (const std::domain_error&) {
      EXPECT_FALSE(weft::move_on_after(100us, sleep_for_ever));
      EXPECT_THROW(weft::with_timeout(100us, sleep_for_ever), weft::timed_out);
      throw;
    }
  } catch (const std::domain_error& error) {
    EXPECT_STREQ(error.what(), "handled");
  }
}

WEFT_TEST(timeout_edges, destructors_of_destructors_wait_too) {
  int finished = 0;
  EXPECT_FALSE(weft::move_on_after(0s, [&] {
    const finally outer{[&] {
      try {
        const finally inner{[&] {
          weft::this_fiber::sleep_for(50us);
          EXPECT_FALSE(weft::move_on_after(50us, sleep_for_ever));
          ++finished;
        }};
        throw std::domain_error("inside of a destructor");
      } catch (const std::domain_error&) {
        weft::this_fiber::sleep_for(50us);
        ++finished;
      }
    }};
    weft::this_fiber::yield();
  }));
  EXPECT_EQ(finished, 2);
}

// --- Whom it reaches -------------------------------------------------------------------------------------------------------------

WEFT_TEST(timeout_edges, reaches_children_of_children_with_its_reason) {
  std::atomic<int> for_deadline{0};
  EXPECT_FALSE(weft::move_on_after(300us, [&] {
    const std::function<void(int)> grow = [&](int depth) {
      if (depth == 0) {
        if (reason_of(sleep_for_ever) == weft::cancel_reason::deadline) ++for_deadline;
        return weft::this_fiber::yield();
      }
      weft::gather([&] { grow(depth - 1); }, [&] { grow(depth - 1); });
    };
    grow(3);
  }));
  EXPECT_LE(for_deadline, 8) << "one that had not started never ran";
}

WEFT_TEST(timeout_edges, leaves_fibers_that_belong_to_nobody_here_alone) {
  weft::event go;
  auto outside = weft::spawn([&] {
    go.wait();
    return 1;
  });
  std::optional<weft::fiber<int>> from_within;
  EXPECT_FALSE(weft::move_on_after(100us, [&] {
    from_within = weft::spawn([&] {
      go.wait();
      return 2;
    });
    outside.join();
  }));
  go.set();
  EXPECT_EQ(outside.join(), 1);
  EXPECT_EQ(from_within->join(), 2);
}

WEFT_TEST(timeout_edges, of_two_fibers_at_one_object_cuts_only_its_own_short) {
  weft::event go;
  auto patient = weft::spawn([&] {
    go.wait();
    return 1;
  });
  EXPECT_FALSE(weft::move_on_after(100us, [&] { go.wait(); }));
  EXPECT_FALSE(patient.done());
  go.set();
  EXPECT_EQ(patient.join(), 1);
}

WEFT_TEST(timeout_edges, in_a_fiber_that_is_cancelled_already_stays_a_cancellation) {
  std::atomic<bool> began{false}, is_cancelled{false};
  auto f = weft::spawn([&] {
    weft::shield([&] {
      began = true;
      while (!is_cancelled) weft::this_fiber::yield();
    });
    bool ran = false;
    EXPECT_EQ(reason_of([&] {
                weft::with_timeout(1h, [&] {
                  ran = true;
                  weft::this_fiber::yield();
                  ADD_FAILURE();
                });
              }),
              weft::cancel_reason::user);
    EXPECT_TRUE(ran);
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel();
  is_cancelled = true;
  f.join();
}

TEST(timeout_edges, outside_of_fibers_is_refused) {
  EXPECT_EQ(error_of([] { weft::with_timeout(1s, [] {}); }), std::errc::operation_not_permitted);
  EXPECT_EQ(error_of([] { weft::move_on_after(1s, [] {}); }), std::errc::operation_not_permitted);
}
