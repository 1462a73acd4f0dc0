// A fiber whose stack is taken by a child that cannot be cut short still passes its cancellation on to the others.
#include "support/sleep_until_told.h"
#include "support/with_cores.h"

#include <atomic>
#include <mutex>

using namespace weft_test;

WEFT_TEST(call_chain, a_shielded_child_of_gather_may_wait_for_another_one) {
  weft::event sleeps, told, is_shielded;
  auto owner = weft::spawn([&] {
    weft::gather(
        [&] {
          weft::shield([&] {
            is_shielded.set();
            told.wait();
          });
        },
        [&] { sleep_until_told(sleeps, told); });
  });
  sleeps.wait();
  is_shielded.wait();
  owner.cancel();
  EXPECT_THROW(owner.join(), weft::join_cancelled);
}

WEFT_TEST(call_chain, that_is_cancelled_already_is_told_when_the_child_waits) {
  weft::event sleeps, told, is_assigned;
  weft::fiber<void> owner = weft::spawn([&] {
    weft::gather(
        [&] {
          sleeps.wait();
          is_assigned.wait();
          owner.cancel();
          weft::shield([&] { told.wait(); });
        },
        [&] { sleep_until_told(sleeps, told); });
  });
  is_assigned.set();
  told.wait();
  EXPECT_THROW(owner.join(), weft::join_cancelled);
}

WEFT_TEST(call_chain, a_child_may_take_its_lock_back_from_another_one) {
  weft::mutex m;
  weft::condition_variable never;
  weft::event sleeps, told;
  std::atomic<bool> waits{false};
  auto owner = weft::spawn([&] {
    weft::with_scope([&](weft::scope& crew) {
      crew.spawn([&] {
        EXPECT_TRUE(yield_until([&] { return waits.load(); }));
        const std::scoped_lock hold(m);
        sleep_until_told(sleeps, told);
      });
      crew.spawn([&] {
        std::unique_lock hold(m);
        waits = true;
        never.wait(hold);
      });
    });
  });
  sleeps.wait();
  owner.cancel();
  EXPECT_THROW(owner.join(), weft::join_cancelled);
}

WEFT_TEST(call_chain, reaches_through_children_that_call_children) {
  weft::event sleeps, told, sleeps_inside, told_inside, is_shielded;
  const auto inner = [&] {
    weft::gather(
        [&] {
          weft::shield([&] {
            is_shielded.set();
            told.wait();
            told_inside.wait();
          });
        },
        [&] { sleep_until_told(sleeps_inside, told_inside); });
  };
  EXPECT_THROW(weft::with_timeout(weft::deadline::never(),
                                  [&] {
                                    weft::with_scope([&](weft::scope& crew) {
                                      crew.spawn([&] {
                                        sleeps.wait();
                                        sleeps_inside.wait();
                                        is_shielded.wait();
                                        crew.cancel();
                                      });
                                      crew.spawn([&] { sleep_until_told(sleeps, told); });
                                      crew.spawn(inner);
                                    });
                                    throw std::runtime_error("it came back");
                                  }),
               std::runtime_error);
}

WEFT_TEST(call_chain, leaves_alone_what_is_outside_of_the_scope_that_is_cancelled) {
  weft::event sleeps, told, is_shielded, go;
  std::atomic<bool> outer_was_told{false};
  weft::gather(
      [&] {
        weft::with_scope([&](weft::scope& crew) {
          crew.spawn([&] {
            sleeps.wait();
            is_shielded.wait();
            crew.cancel();
          });
          crew.spawn([&] { sleep_until_told(sleeps, told); });
          crew.spawn([&] {
            weft::shield([&] {
              is_shielded.set();
              told.wait();
            });
          });
        });
        go.set();
      },
      [&] {
        try {
          go.wait();
        } catch (const weft::cancelled&) {
          outer_was_told = true;
        }
      });
  EXPECT_FALSE(outer_was_told);
}

WEFT_TEST(call_chain, deadlines_reach_it_too) {
  bool both_began = false;
  // Where the deadline is there before the children, they are given more time.
  for (auto limit = 5ms; !both_began && limit < long_enough; limit *= 2) {
    weft::event sleeps, told;
    const auto wait_to_be_told = [&] {
      const weft::shield_guard inside;
      both_began = sleeps.wait_for(limit);
      if (both_began) told.wait();
    };
    EXPECT_THROW(
        weft::with_timeout(limit, [&] { weft::gather(wait_to_be_told, [&] { sleep_until_told(sleeps, told); }); }),
        weft::timed_out);
  }
  EXPECT_TRUE(both_began);
}

// The cancellation ends a wait of the child, which waits again where nothing ends it, for a sibling that nobody has told.
WEFT_TEST(call_chain, tells_of_a_cancellation_that_ended_a_wait_behind_a_shield) {
  weft::event sleeps, told, is_shielded, go_on, never;
  std::atomic<bool> waits{false};
  auto owner = weft::spawn([&] {
    weft::gather(
        [&] {
          weft::shield([&] {
            is_shielded.set();
            go_on.wait();
          });
          try {
            waits = true;
            never.wait();
          } catch (const weft::cancelled&) {
            weft::shield([&] { told.wait(); });
            throw;
          }
        },
        [&] { sleep_until_told(sleeps, told); });
  });
  is_shielded.wait();
  sleeps.wait();
  go_on.set();
  ASSERT_TRUE(yield_until([&] { return waits.load(); }));
  weft::this_fiber::yield();
  owner.cancel();
  EXPECT_THROW(owner.join(), weft::join_cancelled);
}

// A lock that is free throws nothing, and lets others run now and then.
WEFT_TEST(call_chain, a_child_may_ask_for_another_one_under_a_lock) {
  weft::event sleeps, told;
  std::atomic<bool> asks{false};
  weft::mutex guard;
  auto owner = weft::spawn([&] {
    weft::gather(
        [&] {
          asks = true;
          const auto limit = std::chrono::steady_clock::now() + long_enough;
          for (bool is_told = false; !is_told;) {
            const std::scoped_lock hold(guard);
            is_told = told.is_set();
            if (std::chrono::steady_clock::now() > limit) throw std::logic_error("nobody has told the other one");
          }
        },
        [&] { sleep_until_told(sleeps, told); });
  });
  sleeps.wait();
  ASSERT_TRUE(yield_until([&] { return asks.load(); }));
  owner.cancel();
  EXPECT_THROW(owner.join(), weft::join_cancelled);
}

WEFT_TEST(call_chain, a_shielded_child_may_ask_for_another_one_again_and_again) {
  weft::event sleeps, told;
  std::atomic<bool> asks{false};
  auto owner = weft::spawn([&] {
    weft::gather(
        [&] {
          const weft::shield_guard inside;
          asks = true;
          EXPECT_TRUE(yield_until([&] { return told.is_set(); }));
        },
        [&] { sleep_until_told(sleeps, told); });
  });
  sleeps.wait();
  ASSERT_TRUE(yield_until([&] { return asks.load(); }));
  owner.cancel();
  EXPECT_THROW(owner.join(), weft::join_cancelled);
}
