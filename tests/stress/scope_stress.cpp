// Scopes under timeouts, cancellation and errors at the same moment; and objects that die as their wait returns.
#include "stress/stress.h"

#include <atomic>
#include <memory>
#include <stdexcept>

using namespace weft_test;

namespace {

struct expected_error {};

std::chrono::nanoseconds short_while(std::mt19937_64& random) { return std::chrono::nanoseconds(random() % 60'000); }

// A tree of scopes in which everything happens at random. Counts what lives.
void grow(std::uint64_t seed, int depth, std::atomic<int>& live) {
  struct counting {
    std::atomic<int>& live;
    explicit counting(std::atomic<int>& count) : live(count) { ++live; }
    ~counting() { --live; }
  } const here(live);
  std::mt19937_64 random(seed);
  weft::move_on_after(short_while(random), [&] {
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 3 && depth > 0; ++i) crew.spawn([&, s = random()] { grow(s, depth - 1, live); });
      switch (random() % 5) {
        case 0:
          throw expected_error();
        case 1:
          crew.cancel();
          break;
        case 2:
          weft::shield([&] { weft::this_fiber::sleep_for(short_while(random)); });
          break;
        default:
          weft::this_fiber::sleep_for(short_while(random));
      }
    });
  });
}

}  // namespace

TEST(scope_stress, trees_of_scopes_end_whole_whatever_ends_them) {
  for_each_setting([](const setting& under) {
    weft::options wanted = under.options();
    wanted.on_lost_error = [](const weft::lost_error&) {};
    weft::runtime here(wanted);
    stress(200, 8, [&](auto& random) {
      std::atomic<int> live{0};
      std::vector<weft::fiber<void>> trees;
      for (int i = 0; i < 8; ++i) trees.push_back(here.spawn([&, s = random()] { grow(s, 3, live); }));
      for (auto& each : trees) {
        if (random() % 3 == 0) each.cancel();
      }
      for (auto& each : trees) {
        try {
          each.join();
        } catch (const weft::join_cancelled&) {
        } catch (const expected_error&) {
        } catch (const weft::scope_errors&) {
        }
      }
      EXPECT_EQ(live, 0);
    });
    expect_nothing_left(here);
  });
}

TEST(scope_stress, objects_die_as_their_wait_returns) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(2'000, 1, [&](auto& random) {
      here.spawn([&, kind = random() % 5] {
            auto gate = std::make_unique<weft::mutex>();
            auto told = std::make_unique<weft::event>();
            auto done = std::make_unique<weft::latch>(1);
            auto permits = std::make_unique<weft::semaphore>(0);
            auto words = std::make_unique<weft::channel<int>>();
            gate->lock();
            auto other = weft::spawn(
                [&, to_set = told.get(), to_count = done.get(), to_release = permits.get(), to_send = words.get()] {
                  switch (kind) {
                    case 0:
                      return to_set->set();
                    case 1:
                      return to_count->count_down();
                    case 2:
                      return to_release->release();
                    default:
                      return to_send->send(1);
                  }
                });
            if (kind == 0) {
              told->wait();
              told.reset();
            } else if (kind == 1) {
              done->wait();
              done.reset();
            } else if (kind == 2) {
              permits->acquire();
              permits.reset();
            } else {
              EXPECT_EQ(words->receive(), 1);
              words.reset();
            }
            gate->unlock();
            other.join();
          })
          .join();
    });
    expect_nothing_left(here);
  });
}
