// Timeouts and shields: whose deadline it was, and what it reaches.
#include "support/with_cores.h"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

template <class F>
weft::cancel_reason reason_of(F f) {
  try {
    f();
  } catch (const weft::cancelled& cut) {
    return cut.reason();
  }
  ADD_FAILURE() << "nothing was cancelled";
  return {};
}

}  // namespace

// --- Whose it is ---------------------------------------------------------------------------------------------------------

WEFT_TEST_EACH_REACTOR(timeout, cuts_a_wait_short) {
  EXPECT_THROW(weft::with_timeout(1ms, sleep_for_ever), weft::timed_out);
  weft::this_fiber::yield();  // Over is over.
}

WEFT_TEST(timeout, returns_what_the_body_returns_in_time) {
  int target = 0;
  EXPECT_EQ(weft::with_timeout(1h, [] { return std::string("in time"); }), "in time");
  EXPECT_EQ(&weft::with_timeout(1h, [&]() -> int& { return target; }), &target);
  EXPECT_EQ(*weft::with_timeout(weft::deadline::never(), [] { return std::make_unique<int>(1); }), 1);
}

WEFT_TEST(timeout, lets_other_errors_through) {
  EXPECT_THROW(weft::with_timeout(1h, [] { throw std::domain_error("own"); }), std::domain_error);
}

WEFT_TEST(timeout, of_the_outer_scope_is_not_the_inner_ones) {
  bool inner_timed_out = false;
  const auto inner = [&] {
    try {
      weft::with_timeout(1h, sleep_for_ever);
    } catch (const weft::timed_out&) {
      inner_timed_out = true;
    }
  };
  EXPECT_THROW(weft::with_timeout(1ms, inner), weft::timed_out);
  EXPECT_FALSE(inner_timed_out);
}

WEFT_TEST(timeout, of_the_inner_scope_leaves_the_outer_one_alone) {
  const bool done = weft::with_timeout(1h, [] {
    EXPECT_THROW(weft::with_timeout(1ms, sleep_for_ever), weft::timed_out);
    weft::this_fiber::sleep_for(1us);
    return true;
  });
  EXPECT_TRUE(done);
}

WEFT_TEST(timeout, of_both_is_the_outer_ones) {
  weft::timeout_scope outer(1ms);
  const auto work = [&] {
    weft::timeout_scope inner(1ms);
    try {
      inner.run([&] {
        weft::shield([&] {
          while (!outer.expired() || !inner.expired()) weft::this_fiber::sleep_for(100us);
        });
        weft::this_fiber::yield();
      });
    } catch (const weft::timed_out&) {
      ADD_FAILURE() << "the inner scope threw";
    }
  };
  EXPECT_THROW(outer.run(work), weft::timed_out);
}

WEFT_TEST(timeout, when_the_fiber_is_cancelled_too_stays_a_cancellation) {
  std::atomic<bool> began{false};
  auto f = weft::spawn([&] {
    weft::with_timeout(1h, [&] {
      began = true;
      sleep_for_ever();
    });
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
}

// --- When ----------------------------------------------------------------------------------------------------------------

WEFT_TEST(timeout, in_the_past_lets_the_body_run_to_its_first_suspension) {
  for (const weft::deadline past :
       {weft::deadline(0ns), weft::deadline(-1h), weft::deadline(std::chrono::hours::min()),
        weft::deadline(std::chrono::steady_clock::now() - 1h), weft::deadline(std::chrono::steady_clock::now())}) {
    bool ran = false;
    bool went_on = false;
    EXPECT_THROW(weft::with_timeout(past,
                                    [&] {
                                      ran = true;
                                      weft::this_fiber::yield();
                                      went_on = true;
                                    }),
                 weft::timed_out);
    EXPECT_TRUE(ran);
    EXPECT_FALSE(went_on);
    EXPECT_EQ(weft::with_timeout(past, [] { return 1; }), 1) << "a body that never suspends is not cut short";
  }
}

WEFT_TEST(timeout, too_far_to_be_counted_is_never) {
  EXPECT_EQ(weft::with_timeout(std::chrono::hours::max(), [] { return 1; }), 1);
  EXPECT_EQ(weft::with_timeout(std::chrono::duration<double>(1e300), [] { return 2; }), 2);
}

WEFT_TEST(timeout, is_sticky_until_its_scope_ends) {
  int thrown = 0;
  EXPECT_THROW(weft::with_timeout(0s,
                                  [&] {
                                    for (; thrown < 3; ++thrown) {
                                      EXPECT_EQ(reason_of([] { weft::this_fiber::yield(); }),
                                                weft::cancel_reason::deadline);
                                    }
                                    weft::this_fiber::yield();
                                  }),
               weft::timed_out);
  EXPECT_EQ(thrown, 3);
}

WEFT_TEST(timeout, that_is_swallowed_to_the_end_does_not_throw) {
  weft::timeout_scope limit(0s);
  EXPECT_EQ(limit.run([] {
    try {
      weft::this_fiber::yield();
    } catch (...) {
    }
    return 5;
  }),
            5);
  EXPECT_TRUE(limit.expired());
}

WEFT_TEST(timeout, can_be_moved) {
  bool was_moved = false;
  // Where it is over before it can be moved, the next one is longer.
  for (auto limit = 1ms; !was_moved && limit < long_enough; limit *= 2) {
    const auto begin = std::chrono::steady_clock::now();
    weft::timeout_scope later(limit);
    was_moved = later.reschedule(1h);
    if (!was_moved) {
      EXPECT_GE(std::chrono::steady_clock::now() - begin, limit - 1us);
      continue;
    }
    later.run([&] {
      weft::this_fiber::sleep_for(limit + 2ms);
      EXPECT_FALSE(later.expired());
      EXPECT_TRUE(later.reschedule(0s));
      EXPECT_TRUE(later.expired());
      EXPECT_FALSE(later.reschedule(1h)) << "what has expired has expired";
    });
  }
  EXPECT_TRUE(was_moved);
}

WEFT_TEST(timeout, tells_whether_the_work_was_cut_short) {
  EXPECT_FALSE(weft::move_on_after(1ms, sleep_for_ever));
  EXPECT_TRUE(weft::move_on_after(1h, [] { weft::this_fiber::yield(); }));
  EXPECT_THROW(weft::move_on_after(1h, [] { weft::with_timeout(1ms, sleep_for_ever); }), weft::timed_out);
}

TEST(timeout, outside_a_fiber_is_an_error) {
  try {
    weft::with_timeout(1s, [] {});
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::operation_not_permitted);
    EXPECT_NE(std::string(error.what()).find("with_timeout"), std::string::npos);
  }
}

// --- What it reaches -------------------------------------------------------------------------------------------------------

WEFT_TEST(timeout, cuts_every_kind_of_wait_short) {
  weft::mutex gate;
  weft::condition_variable told;
  auto endless = weft::spawn(sleep_for_ever);
  std::unique_lock hold(gate);
  EXPECT_THROW(weft::with_timeout(1ms, [&] { endless.join(); }), weft::timed_out);
  EXPECT_THROW(weft::with_timeout(1ms, [&] { told.wait(hold); }), weft::timed_out);
  EXPECT_TRUE(hold.owns_lock());
  auto other = weft::spawn([&] { weft::with_timeout(1ms, [&] { gate.lock(); }); });
  EXPECT_THROW(other.join(), weft::timed_out);
  EXPECT_THROW(weft::with_timeout(1ms,
                                  [] {
                                    for (;;) weft::this_fiber::yield();
                                  }),
               weft::timed_out);
  endless.cancel();
  EXPECT_THROW(endless.join(), weft::join_cancelled);
}

WEFT_TEST(timeout, many_at_once_each_end_their_own) {
  std::vector<weft::fiber<int>> crowd;
  for (int i = 0; i < 200; ++i) {
    crowd.push_back(weft::spawn([i] {
      if (i % 2 == 0) return weft::with_timeout(1h, [i] { return i; });
      EXPECT_FALSE(weft::move_on_after(std::chrono::microseconds(i), sleep_for_ever));
      return i;
    }));
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(crowd[static_cast<std::size_t>(i)].join(), i);
}

WEFT_TEST(timeout, against_the_wake_loses_neither) {
  for (std::size_t i = 0; i < repeated(500, 100); ++i) {
    weft::mutex gate;
    weft::condition_variable told;
    bool done = false;
    auto waker = weft::spawn([&] {
      weft::this_fiber::sleep_for(20us);
      const std::lock_guard hold(gate);
      done = true;
      told.notify_one();
    });
    const bool in_time = weft::move_on_after(20us, [&] {
      std::unique_lock hold(gate);
      told.wait(hold, [&] { return done; });
    });
    EXPECT_TRUE(!in_time || done);
    waker.join();
  }
}

// --- Shields ---------------------------------------------------------------------------------------------------------------

WEFT_TEST(shield, keeps_an_outer_timeout_out_until_it_ends) {
  bool finished = false;
  EXPECT_THROW(weft::with_timeout(1ms,
                                  [&] {
                                    weft::shield([&] {
                                      weft::this_fiber::sleep_for(5ms);
                                      finished = true;
                                    });
                                    weft::this_fiber::yield();
                                    ADD_FAILURE() << "not cut short behind the shield";
                                  }),
               weft::timed_out);
  EXPECT_TRUE(finished);
}

WEFT_TEST(shield, lets_a_timeout_of_its_inside_work) {
  weft::shield([] { EXPECT_THROW(weft::with_timeout(1ms, sleep_for_ever), weft::timed_out); });
  auto f = weft::spawn([] {
    weft::shield([] {
      EXPECT_THROW(weft::with_timeout(1ms, sleep_for_ever), weft::timed_out);
      weft::this_fiber::sleep_for(1us);
    });
    sleep_for_ever();
  });
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
}

WEFT_TEST(shield, nests_and_returns_a_value) {
  std::atomic<bool> began{false};
  std::atomic<bool> told{false};
  std::atomic<bool> finished{false};
  auto f = weft::spawn([&] {
    const int got = weft::shield([&] {
      began = true;
      weft::shield([&] {
        while (!told) weft::this_fiber::sleep_for(100us);
      });
      weft::this_fiber::sleep_for(1ms);
      return 3;
    });
    EXPECT_EQ(got, 3);
    finished = true;
    weft::this_fiber::yield();
    ADD_FAILURE() << "not cancelled behind the shield";
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel();
  told = true;
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_TRUE(finished);
}

WEFT_TEST(shield, of_any_depth_holds) {
  const std::function<void(int)> deep = [&](int depth) {
    const weft::shield_guard inside;
    if (depth > 0) return deep(depth - 1);
    weft::this_fiber::sleep_for(2ms);
  };
  bool finished = false;
  EXPECT_THROW(weft::with_timeout(1ms,
                                  [&] {
                                    deep(20);
                                    finished = true;
                                    weft::this_fiber::yield();
                                  }),
               weft::timed_out);
  EXPECT_TRUE(finished);
}

// --- Reasons ---------------------------------------------------------------------------------------------------------------

WEFT_TEST(reason, is_the_outermost_cancellations) {
  weft::with_timeout(0s, [] { EXPECT_EQ(reason_of(weft::this_fiber::yield), weft::cancel_reason::deadline); });
  std::atomic<bool> began{false};
  std::atomic<bool> is_cancelled{false};
  auto f = weft::spawn([&] {
    weft::shield([&] {
      began = true;
      while (!is_cancelled) weft::this_fiber::yield();
    });
    weft::move_on_after(0s, [] { EXPECT_EQ(reason_of(weft::this_fiber::yield), weft::cancel_reason::shutdown); });
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel(weft::cancel_reason::shutdown);
  f.cancel(weft::cancel_reason::user);
  is_cancelled = true;
  f.join();
}
