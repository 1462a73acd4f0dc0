// Semaphores, shared mutexes, barriers and events under waits that end in every way at once: by a wake, a deadline, a
// cancellation; from fibers and from plain threads. Afterwards the books must balance.
#include "stress/stress.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>

using namespace weft_test;

namespace {

// Every third fiber is cancelled at a random moment; some are joined, some dropped.
void cancel_some_and_join(std::vector<weft::fiber<void>>& crew, std::mt19937_64& random) {
  for (std::size_t i = 0; i < crew.size(); ++i) {
    if (i % 3 == 0) {
      for (std::uint64_t k = random() % 50; k > 0; --k) std::this_thread::yield();
      crew[i].cancel();
    }
  }
  for (auto& each : crew) {
    try {
      each.join();
    } catch (const weft::join_cancelled&) {
    }
  }
}

std::chrono::microseconds some_patience(std::uint64_t draw) { return std::chrono::microseconds(draw % 200); }

}  // namespace

TEST(sync_stress, no_permit_of_a_semaphore_is_lost_or_made) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(60, 300, [&](auto& random) {
      const std::size_t permits = 1 + random() % 5;
      weft::bounded_semaphore gate(permits);
      std::atomic<std::size_t> out{0};
      const auto work = [&, permits](std::uint64_t seed) {
        std::mt19937_64 own(seed);
        for (int i = 0; i < 50; ++i) {
          const std::size_t count = 1 + own() % permits;
          if (own() % 2 == 0) {
            gate.acquire(count);
          } else if (!gate.try_acquire_for(some_patience(own()), count)) {
            continue;
          }
          struct giving_back {
            weft::bounded_semaphore& gate;
            std::atomic<std::size_t>& out;
            std::size_t count;
            ~giving_back() {
              out -= count;
              gate.release(count);
            }
          } at_end{gate, out, count};
          if ((out += count) > permits) ADD_FAILURE() << "more permits out than there are";
          if (own() % 4 == 0) weft::this_fiber::yield();
        }
      };
      std::vector<weft::fiber<void>> crew;
      for (int i = 0; i < 9; ++i) crew.push_back(here.spawn([&work, seed = random()] { work(seed); }));
      std::thread outside(work, random());
      cancel_some_and_join(crew, random);
      outside.join();
      EXPECT_EQ(gate.available(), permits);
    });
    expect_nothing_left(here);
  });
}

TEST(sync_stress, a_shared_mutex_keeps_readers_and_writers_apart) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(60, 300, [&](auto& random) {
      weft::shared_mutex gate;
      std::atomic<int> readers{0}, writers{0};
      const auto work = [&](std::uint64_t seed) {
        std::mt19937_64 own(seed);
        for (int i = 0; i < 50; ++i) {
          if (own() % 3 == 0) {
            std::unique_lock hold(gate, std::defer_lock);
            if (own() % 2 == 0) {
              hold.lock();
            } else if (!hold.try_lock_for(some_patience(own()))) {
              continue;
            }
            if (++writers != 1 || readers != 0) ADD_FAILURE() << "a writer is not alone";
            --writers;
            if (own() % 4 == 0) weft::this_fiber::yield();
          } else {
            std::shared_lock hold(gate, std::defer_lock);
            if (own() % 2 == 0) {
              hold.lock();
            } else if (!hold.try_lock_for(some_patience(own()))) {
              continue;
            }
            ++readers;
            if (writers != 0) ADD_FAILURE() << "a reader meets a writer";
            --readers;
            if (own() % 4 == 0) weft::this_fiber::yield();
          }
        }
      };
      std::vector<weft::fiber<void>> crew;
      for (int i = 0; i < 9; ++i) crew.push_back(here.spawn([&work, seed = random()] { work(seed); }));
      std::thread outside(work, random());
      cancel_some_and_join(crew, random);
      outside.join();
      EXPECT_TRUE(gate.try_lock());
      gate.unlock();
    });
    expect_nothing_left(here);
  });
}

TEST(sync_stress, a_barrier_opens_for_all_or_breaks_for_all) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(60, 10, [&](auto& random) {
      const std::size_t size = 2 + random() % 6;
      auto meet = std::make_unique<weft::barrier<>>(size);
      std::vector<std::atomic<int>> rounds(size);
      std::vector<weft::fiber<void>> crew;
      for (std::size_t me = 0; me < size; ++me) {
        crew.push_back(here.spawn([&, me, patience = some_patience(random()) * (me == 0 ? 1 : 1000)] {
          try {
            for (int i = 0; i < 100; ++i) {
              if (!meet->arrive_and_wait_for(patience)) return;
              ++rounds[me];
            }
          } catch (const weft::broken_barrier&) {
          }
        }));
      }
      cancel_some_and_join(crew, random);
      int least = 100, most = 0;
      for (const std::atomic<int>& each : rounds) {
        least = std::min(least, each.load());
        most = std::max(most, each.load());
      }
      EXPECT_LE(most - least, 1);
      meet.reset();
    });
    expect_nothing_left(here);
  });
}

TEST(sync_stress, each_set_of_an_event_lets_one_through) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(60, 300, [&](auto& random) {
      weft::auto_reset_event turn(true);
      std::size_t inside = 0;  // Plain on purpose: the event is what orders it.
      const auto work = [&](std::uint64_t seed) {
        std::mt19937_64 own(seed);
        for (int i = 0; i < 50; ++i) {
          if (own() % 2 == 0) {
            turn.wait();
          } else if (!turn.wait_for(some_patience(own()))) {
            continue;
          }
          struct passing_on {
            weft::auto_reset_event& turn;
            ~passing_on() { turn.set(); }
          } at_end{turn};
          if (++inside != 1) ADD_FAILURE() << "two have the turn";
          --inside;
          if (own() % 4 == 0) weft::this_fiber::yield();
        }
      };
      std::vector<weft::fiber<void>> crew;
      for (int i = 0; i < 9; ++i) crew.push_back(here.spawn([&work, seed = random()] { work(seed); }));
      std::thread outside(work, random());
      cancel_some_and_join(crew, random);
      outside.join();
      EXPECT_TRUE(turn.is_set());
    });
    expect_nothing_left(here);
  });
}

TEST(sync_stress, an_event_wakes_everybody_and_may_go_at_once) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(300, 4, [&](auto& random) {
      auto ready = std::make_unique<weft::event>();
      weft::wait_group left(4);
      std::vector<weft::fiber<void>> crew;
      for (int i = 0; i < 4; ++i) {
        crew.push_back(here.spawn([&left, event = ready.get()] {
          event->wait();
          left.done();
        }));
      }
      for (std::uint64_t k = random() % 50; k > 0; --k) std::this_thread::yield();
      ready->set();
      left.wait();
      ready.reset();
      for (auto& each : crew) each.join();
    });
    expect_nothing_left(here);
  });
}
