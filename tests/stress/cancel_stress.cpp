// Cancel, end, timeout and notify at the same moment: exactly one of them ends a wait.
#include "stress/stress.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

using namespace weft_test;

namespace {

std::chrono::nanoseconds short_while(std::mt19937_64& random) { return std::chrono::nanoseconds(random() % 100'000); }

void idle_for(std::uint64_t turns) {
  for (std::uint64_t i = 0; i < turns; ++i) weft::detail::spin_pause();
}

}  // namespace

TEST(cancel_stress, storm_at_random_moments) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(60, 30, [&](auto& random) {
      weft::mutex gate;
      weft::condition_variable condition;
      std::atomic<std::size_t> began{0}, unwound{0};
      struct counting {
        std::atomic<std::size_t>&began, &unwound;
        counting(std::atomic<std::size_t>& b, std::atomic<std::size_t>& u) : began(b), unwound(u) { ++began; }
        ~counting() { ++unwound; }
      };
      std::vector<weft::fiber<void>> crowd;
      for (int i = 0; i < 60; ++i) {
        crowd.push_back(here.spawn([&, seed = random()] {
          const counting life(began, unwound);
          std::mt19937_64 own(seed);
          for (;;) {
            switch (own() % 6) {
              case 0:
                weft::this_fiber::yield();
                break;
              case 1:
                weft::this_fiber::sleep_for(short_while(own));
                break;
              case 2: {
                const std::lock_guard hold(gate);
                if (own() % 4 == 0) weft::this_fiber::yield();
                break;
              }
              case 3: {
                std::unique_lock lock(gate);
                condition.wait_for(lock, short_while(own));
                break;
              }
              case 4: {
                std::unique_lock lock(gate);
                condition.notify_all();
                break;
              }
              default: {
                auto child = weft::spawn([&] { weft::this_fiber::sleep_for(100us); });
                if (own() % 2 == 0) child.join();
              }
            }
          }
        }));
      }
      std::thread other([&, seed = random()] {
        std::mt19937_64 own(seed);
        for (std::size_t i = 0; i < crowd.size(); i += 1 + own() % 3) {
          crowd[i].cancel();
          idle_for(own() % 1000);
        }
      });
      for (std::size_t k = 0; k < 30; ++k) {
        crowd[random() % crowd.size()].cancel();
        idle_for(random() % 2000);
      }
      other.join();
      for (auto& each : crowd) {
        each.cancel();
        EXPECT_THROW(each.join(), weft::join_cancelled);
      }
      EXPECT_EQ(began, unwound);
      EXPECT_TRUE(gate.try_lock());
      gate.unlock();
    });
    expect_nothing_left(here);
  });
}

TEST(cancel_stress, join_meets_end_and_timeout_and_cancel) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(100, 50, [&](auto& random) {
      here.spawn([&, seed = random()] {
            std::mt19937_64 own(seed);
            for (int i = 0; i < 50; ++i) {
              const auto its_time = short_while(own), my_time = short_while(own);
              auto f = weft::spawn([its_time] {
                weft::this_fiber::sleep_for(its_time);
                return 5;
              });
              auto joiner = weft::spawn([&f, my_time] {
                const std::optional<int> result = f.join(my_time);
                if (result) {
                  EXPECT_EQ(*result, 5);
                }
                return result.has_value();
              });
              if (own() % 2 == 0) {
                for (std::uint64_t k = own() % 4; k > 0; --k) weft::this_fiber::yield();
                joiner.cancel();
              }
              try {
                const bool got_it = joiner.join();
                EXPECT_EQ(got_it, !f.joinable());
              } catch (const weft::join_cancelled&) {
                EXPECT_TRUE(f.joinable());
              }
              if (f.joinable()) {
                EXPECT_EQ(f.join(), 5);
              }
            }
          })
          .join();
    });
    expect_nothing_left(here);
  });
}

TEST(cancel_stress, many_join_the_end_of_one) {
  weft::runtime here(setting{2, weft::migration::free}.options());
  stress(2'000, 8, [&](auto& random) {
    // Waiters of a condition stand in for several joiners, since a handle has one owner: each joins a child of its own
    // that ends with the others.
    std::atomic<bool> go{false};
    std::vector<weft::fiber<int>> ends;
    for (int i = 0; i < 8; ++i) {
      ends.push_back(here.spawn([&go, turns = random() % 8] {
        while (!go) weft::this_fiber::yield();
        for (std::uint64_t k = 0; k < turns; ++k) weft::this_fiber::yield();
        return 1;
      }));
    }
    std::vector<weft::fiber<int>> joiners;
    for (auto& each : ends) joiners.push_back(here.spawn([f = std::move(each)]() mutable { return f.join(); }));
    go = true;
    int sum = 0;
    for (auto& each : joiners) sum += each.join();
    EXPECT_EQ(sum, 8);
  });
}

TEST(cancel_stress, a_mutex_deadline_meets_the_unlock) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(500, 4, [&](auto& random) {
      auto gate = std::make_unique<weft::mutex>();
      std::array<weft::fiber<bool>, 4> crew;
      gate->lock();
      for (auto& each : crew) {
        each = here.spawn([&gate, limit = short_while(random)] {
          if (!gate->try_lock_for(limit)) return false;
          gate->unlock();
          return true;
        });
      }
      idle_for(random() % 5000);
      if (random() % 4 == 0) crew[random() % 4].cancel();
      gate->unlock();
      for (auto& each : crew) {
        try {
          each.join();
        } catch (const weft::join_cancelled&) {
        }
      }
      EXPECT_TRUE(gate->try_lock());
      gate->unlock();
    });
    expect_nothing_left(here);
  });
}

TEST(cancel_stress, a_condition_deadline_meets_notify_and_destruction) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(500, 4, [&](auto& random) {
      weft::mutex gate;
      auto condition = std::make_unique<weft::condition_variable>();
      bool done = false;
      std::array<weft::fiber<void>, 4> crew;
      int left = 4;
      for (auto& each : crew) {
        each = here.spawn([&, limit = short_while(random)] {
          bool is_last = false;
          {
            std::unique_lock lock(gate);
            while (!done && condition->wait_for(lock, limit) == std::cv_status::no_timeout) {
            }
            is_last = --left == 0;
          }
          // The last to leave takes the condition along, right after the others were woken.
          if (is_last) condition.reset();
        });
      }
      idle_for(random() % 5000);
      {
        const std::lock_guard hold(gate);
        done = true;
        if (left > 0) condition->notify_all();
      }
      for (auto& each : crew) each.join();
    });
    expect_nothing_left(here);
  });
}

TEST(cancel_stress, a_plain_thread_deadline_meets_a_fiber_unlock) {
  weft::runtime here(setting{2}.options());
  stress(5'000, 1, [&](auto& random) {
    weft::mutex gate;
    gate.lock();
    auto f = here.spawn([&gate, limit = short_while(random)] {
      if (gate.try_lock_for(limit)) gate.unlock();
      gate.lock();
      weft::this_fiber::yield();
      gate.unlock();
    });
    idle_for(random() % 3000);
    gate.unlock();
    if (gate.try_lock_for(short_while(random))) gate.unlock();
    f.join();
    EXPECT_TRUE(gate.try_lock());
    gate.unlock();
  });
}

TEST(cancel_stress, a_migrating_fiber_is_moved_while_its_timer_fires_and_it_is_cancelled) {
  weft::runtime here(setting{4, weft::migration::free}.options());
  stress(300, 40, [&](auto& random) {
    std::vector<weft::fiber<void>> crowd;
    for (int i = 0; i < 40; ++i) {
      crowd.push_back(here.spawn([seed = random()] {
        std::mt19937_64 own(seed);
        for (int k = 0; k < 20; ++k) {
          own() % 2 == 0 ? weft::this_fiber::yield() : weft::this_fiber::sleep_for(short_while(own) / 4);
          if (own() % 8 == 0) {
            const weft::pin_guard here_for_now;
            weft::this_fiber::yield();
          }
        }
      }));
    }
    for (int k = 0; k < 20; ++k) {
      crowd[random() % crowd.size()].cancel();
      idle_for(random() % 2000);
    }
    for (auto& each : crowd) {
      try {
        each.join();
      } catch (const weft::join_cancelled&) {
      }
    }
  });
  expect_nothing_left(here);
}
