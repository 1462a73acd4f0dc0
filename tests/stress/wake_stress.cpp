// Parking and waking where every wake is the only one: a lost wake hangs, because no timer and no other work comes to
// the rescue.
#include "stress/stress.h"

#include <atomic>
#include <memory>
#include <mutex>

using namespace weft_test;

namespace {

// A place for one message at a time. No deadlines anywhere.
class ball {
 public:
  void play(std::size_t parity, std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) {
      std::unique_lock lock(gate_);
      moved_.wait(lock, [&] { return count_ % 2 == parity; });
      ++count_;
      moved_.notify_one();
    }
  }
  std::size_t count() const { return count_; }

 private:
  weft::mutex gate_;
  weft::condition_variable moved_;
  std::size_t count_ = 0;
};

}  // namespace

TEST(wake_stress, a_ball_between_a_plain_thread_and_a_fiber) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(100, 400, [&](auto&) {
      ball game;
      auto f = here.spawn([&] { game.play(0, 200); });
      game.play(1, 200);
      f.join();
      EXPECT_EQ(game.count(), 400u);
    });
    expect_nothing_left(here);
  });
}

TEST(wake_stress, a_ball_between_two_cores) {
  weft::runtime here(setting{2}.options());
  stress(200, 1'000, [&](auto&) {
    ball game;
    auto one = here.spawn({.core = 0}, [&] { game.play(0, 500); });
    auto two = here.spawn({.core = 1}, [&] { game.play(1, 500); });
    one.join();
    two.join();
    EXPECT_EQ(game.count(), 1000u);
  });
}

TEST(wake_stress, a_ball_between_two_runtimes) {
  weft::runtime first(setting{2}.options()), second(setting{1, weft::migration::free}.options());
  stress(100, 1'000, [&](auto&) {
    ball game;
    auto one = first.spawn([&] { game.play(0, 500); });
    auto two = second.spawn([&] { game.play(1, 500); });
    one.join();
    two.join();
    EXPECT_EQ(game.count(), 1000u);
  });
}

TEST(wake_stress, spawns_and_joins_from_plain_threads) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(50, 100, [&](auto& random) {
      const std::size_t threads = 1 + random() % 3;
      std::vector<std::thread> crowd;
      for (std::size_t t = 0; t < threads; ++t) {
        crowd.emplace_back([&here, t] {
          for (std::size_t i = 0; i < 100; ++i) {
            EXPECT_EQ(here.spawn([i] { return i; }).join(), i);
            if (i % 4 == t) here.spawn([] { weft::spawn([] {}).join(); }).join();
          }
        });
      }
      for (std::thread& each : crowd) each.join();
    });
    expect_nothing_left(here);
  });
}

TEST(wake_stress, hand_over_of_a_contended_mutex) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(20, 2'000, [&](auto&) {
      weft::mutex gate;
      std::size_t count = 0;
      const auto work = [&] {
        for (int i = 0; i < 500; ++i) {
          const std::lock_guard hold(gate);
          ++count;
        }
      };
      std::vector<weft::fiber<void>> crew;
      for (int i = 0; i < 4; ++i) crew.push_back(here.spawn(work));
      std::thread outside(work);
      for (auto& each : crew) each.join();
      outside.join();
      EXPECT_EQ(count, 2500u);
    });
    expect_nothing_left(here);
  });
}

TEST(wake_stress, stolen_fibers_run_once) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(20, 500, [&](auto& random) {
      const std::size_t count = 500 + random() % 500;
      std::vector<std::atomic<int>> runs(count);
      std::uint64_t seed = random();
      here.spawn([&] {
            std::vector<weft::fiber<void>> crew;
            for (std::size_t i = 0; i < count; ++i) {
              crew.push_back(weft::spawn([&runs, i, how = seed >> (i % 60)] {
                ++runs[i];
                for (std::uint64_t k = 0; k < how % 4; ++k) weft::this_fiber::yield();
                if (how % 8 == 7) weft::spawn([] { weft::this_fiber::yield(); }).join();
              }));
            }
            for (auto& each : crew) each.join();
          })
          .join();
      for (const std::atomic<int>& each : runs) EXPECT_EQ(each, 1);
    });
    expect_nothing_left(here);
  });
}

TEST(wake_stress, runtimes_begin_and_end_under_load) {
  stress(1'000, 1, [](auto& random) {
    weft::options wanted = setting{1 + random() % 4, static_cast<weft::migration>(random() % 2),
                                   static_cast<weft::reactor_mode>(random() % 3)}
                               .options();
    std::atomic<std::size_t> began{0}, ended{0};
    struct counting {
      std::atomic<std::size_t>&began, &ended;
      counting(std::atomic<std::size_t>& b, std::atomic<std::size_t>& e) : began(b), ended(e) { ++began; }
      ~counting() { ++ended; }
    };
    {
      weft::runtime here(wanted);
      const std::size_t crowd = random() % 50;
      for (std::size_t i = 0; i < crowd; ++i) {
        here.spawn_detached([&, i] {
          const counting life(began, ended);
          for (std::size_t k = 0; k < i % 7; ++k) weft::this_fiber::yield();
          if (i % 3 == 0) weft::this_fiber::sleep_for(std::chrono::microseconds(i));
          if (i % 5 == 0) weft::this_fiber::sleep_for(1h);
        });
      }
    }
    EXPECT_EQ(began, ended);
  });
}
