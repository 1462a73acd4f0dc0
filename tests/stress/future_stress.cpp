// Producers, consumers, cancellers and deadlines meet at one future: one outcome, seen alike by all, and freed once.
#include "stress/stress.h"
#include "support/counted.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace weft_test;

namespace {

void idle_for(std::uint64_t turns) {
  for (std::uint64_t i = 0; i < turns; ++i) weft::detail::spin_pause();
}

enum class outcome { value, error, cancelled };

outcome outcome_of(const weft::shared_future<counted>& f) {
  try {
    static_cast<void>(f.get());
    return outcome::value;
  } catch (const weft::join_cancelled&) {
    return outcome::cancelled;
  } catch (const std::runtime_error&) {
    return outcome::error;
  }
}

}  // namespace

TEST(future_stress, set_meets_error_meets_cancel_meets_waiters) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(2'000, 1, [&](auto& random) {
      std::atomic<int> live{0}, winners{0}, called{0}, cancels{0};
      {
        weft::promise<counted> p;
        const auto f = p.get_future().share();
        std::vector<weft::fiber<outcome>> waiters;
        std::vector<weft::fiber<void>> racers;
        p.on_cancel([&cancels, held = counted(live)] { ++cancels; });
        for (int i = 0; i < 4; ++i) {
          waiters.push_back(here.spawn([f, &called, limit = std::chrono::nanoseconds(random() % 50'000)] {
            f.on_done([&called] { ++called; });
            if (limit.count() % 2 == 0) f.wait_for(limit);
            return outcome_of(f);
          }));
        }
        racers.push_back(here.spawn([&, n = random() % 500] {
          idle_for(n);
          winners += p.set_result(counted(live));
        }));
        racers.push_back(here.spawn([&, n = random() % 500] {
          idle_for(n);
          winners += p.set_error(std::make_exception_ptr(std::runtime_error("no")));
        }));
        racers.push_back(here.spawn([&, f, n = random() % 500] {
          idle_for(n);
          winners += f.cancel();
        }));
        std::thread outside([f] { outcome_of(f); });
        const outcome one = outcome_of(f);
        for (auto& each : waiters) EXPECT_EQ(each.join(), one);
        for (auto& each : racers) each.join();
        outside.join();
        EXPECT_EQ(winners, 1);
        EXPECT_EQ(called, 4);
        EXPECT_EQ(cancels, one == outcome::cancelled ? 1 : 0);
      }
      EXPECT_EQ(live, 0);
    });
    expect_nothing_left(here);
  });
}

// The consumer takes state and promise down the instant it has the result.
TEST(future_stress, all_may_go_as_soon_as_the_result_is_seen) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(3'000, 1, [&](auto& random) {
      auto p = std::make_unique<weft::promise<int>>();
      auto f = p->get_future();
      auto setter = here.spawn([raw = p.get(), n = random() % 300] {
        idle_for(n);
        raw->set_value(1);
      });
      auto getter = here.spawn([&f, &p, n = random() % 300] {
        idle_for(n);
        f.wait();
        p.reset();
        return f.get();
      });
      EXPECT_EQ(getter.join(), 1);
      setter.join();
    });
    expect_nothing_left(here);
  });
}

TEST(future_stress, cancelled_waiters_leave_the_others_alone) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(500, 5, [&](auto& random) {
      weft::promise<int> p;
      const auto f = p.get_future().share();
      std::vector<weft::fiber<int>> waiters;
      for (int i = 0; i < 20; ++i) waiters.push_back(here.spawn([f] { return f.get(); }));
      idle_for(random() % 3000);
      auto setter = here.spawn([&, n = random() % 2000] {
        idle_for(n);
        p.set_value(6);
      });
      for (std::size_t i = 0; i < waiters.size(); i += 1 + random() % 4) {
        waiters[i].cancel();
        idle_for(random() % 200);
      }
      for (auto& each : waiters) {
        try {
          EXPECT_EQ(each.join(), 6);
        } catch (const weft::join_cancelled&) {
        }
      }
      setter.join();
      EXPECT_EQ(f.get(), 6);
    });
    expect_nothing_left(here);
  });
}

TEST(future_stress, callbacks_of_fibers_meet_their_end) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(2'000, 5, [&](auto& random) {
      std::atomic<int> called{0};
      auto f = here.spawn([n = random() % 400] { idle_for(n); });
      for (int i = 0; i < 5; ++i) {
        idle_for(random() % 100);
        f.on_done([&] { ++called; });
      }
      if (random() % 4 == 0) f.cancel();
      try {
        f.join();
      } catch (const weft::join_cancelled&) {
      }
      EXPECT_TRUE(eventually([&] { return called == 5; }));
    });
    expect_nothing_left(here);
  });
}
