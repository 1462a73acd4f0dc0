// Edge cases of shields: what they keep out, what comes after them, and scopes on either side.
#include "support/sleep_until_told.h"
#include "support/waiting.h"

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace weft_test;

namespace {

template <class F>
std::optional<weft::cancel_reason> reason_of(F f) {
  try {
    f();
  } catch (const weft::cancelled& cut) {
    return cut.reason();
  }
  return {};
}

}  // namespace

// --- Shields -----------------------------------------------------------------------------------------------------------------

WEFT_TEST(shield_edges, what_came_meanwhile_counts_at_its_end) {
  std::atomic<bool> began{false}, is_cancelled{false};
  bool finished = false;
  auto f = weft::spawn([&] {
    weft::shield([&] {
      began = true;
      while (!is_cancelled) weft::this_fiber::yield();
      weft::this_fiber::sleep_for(50us);
      finished = true;
    });
    EXPECT_EQ(reason_of([] { weft::this_fiber::yield(); }), weft::cancel_reason::user);
    weft::this_fiber::yield();
    ADD_FAILURE();
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel();
  is_cancelled = true;
  EXPECT_TRUE(ended_cancelled(f));
  EXPECT_TRUE(finished);
}

// However many there are.
WEFT_TEST(shield_edges, of_hundreds_let_nothing_in) {
  std::atomic<bool> is_inside{false};
  weft::event leave;
  auto f = weft::spawn([&] {
    std::vector<std::unique_ptr<weft::shield_guard>> around;
    for (int i = 0; i < 300; ++i) {
      around.push_back(std::make_unique<weft::shield_guard>());
      if (i != 256) continue;
      around.pop_back();
      is_inside = true;
      leave.wait();
    }
    while (!around.empty()) around.pop_back();
  });
  ASSERT_TRUE(yield_until([&] { return is_inside.load(); }));
  f.cancel();
  weft::this_fiber::yield();
  leave.set();
  EXPECT_NO_THROW(f.join());
}

WEFT_TEST(shield_edges, ends_with_an_error_as_with_a_result) {
  weft::move_on_after(0s, [] {
    EXPECT_THROW(weft::shield([] {
                   weft::this_fiber::yield();
                   throw std::domain_error("inside");
                 }),
                 std::domain_error);
    EXPECT_EQ(reason_of([] { weft::this_fiber::yield(); }), weft::cancel_reason::deadline);
  });
}

WEFT_TEST(shield_edges, keeps_children_of_scopes_inside_as_they_are) {
  std::atomic<int> finished{0};
  weft::move_on_after(0s, [&] {
    weft::shield([&] {
      weft::with_scope([&](weft::scope& crew) {
        for (int i = 0; i < 4; ++i) {
          crew.spawn([&] {
            weft::this_fiber::sleep_for(50us);
            ++finished;
          });
        }
      });
    });
  });
  EXPECT_EQ(finished, 4);
}

WEFT_TEST(shield_edges, around_a_scope_that_is_joined_inside_cancels_outside_first) {
  // The child of a scope outside of the shield is cancelled; that of one inside is not.
  bool inner_finished = false;
  weft::event outer_sleeps, outer_cut;
  weft::timeout_scope within(1h);
  const auto body = [&] {
    weft::with_scope([&](weft::scope& crew) {
      crew.spawn([&] { sleep_until_told(outer_sleeps, outer_cut); });
      outer_sleeps.wait();
      EXPECT_TRUE(within.reschedule(200us));
      weft::shield([&] {
        weft::with_scope([&](weft::scope& inner) {
          inner.spawn([&] {
            weft::this_fiber::sleep_for(1ms);
            inner_finished = true;
          });
        });
      });
    });
  };
  EXPECT_THROW(within.run(body), weft::timed_out);
  EXPECT_TRUE(inner_finished);
  EXPECT_TRUE(outer_cut.is_set());
}
