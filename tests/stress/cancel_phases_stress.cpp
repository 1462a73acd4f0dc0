// The storm of api/cancel_storm_test.cpp and net/cancel_storm_test.cpp, calls and phases at random, for as long as wanted.
#include "net/socket_calls.h"
#include "stress/stress.h"
#include "support/blocking_calls.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

using namespace weft_test;

namespace {

// Fibers that are stolen and resumed all the time, so that those that are cancelled are, too.
class traffic {
 public:
  explicit traffic(weft::runtime& here) {
    for (int i = 0; i < 8; ++i) {
      crowd_.push_back(here.spawn([this] {
        while (!enough_) {
          weft::spawn([] { weft::this_fiber::yield(); }).join();
        }
      }));
    }
  }
  ~traffic() {
    enough_ = true;
    for (auto& each : crowd_) each.join();
  }

 private:
  std::atomic<bool> enough_{false};
  std::vector<weft::fiber<void>> crowd_;
};

void storm_over(const std::vector<named_call>& calls, std::size_t usual) {
  for_each_setting([&](const setting& under) {
    weft::runtime here(under.options());
    {
      const traffic others(here);
      std::optional<cancel_storm> storm;
      stress(usual, 1, [&](auto& random) {
        if (!storm) storm.emplace(random());
        here.spawn(
                [&] { storm->round(calls[random() % calls.size()], every_phase[random() % std::size(every_phase)]); })
            .join();
      });
    }
    expect_nothing_left(here);
  });
}

}  // namespace

TEST(cancel_phases_stress, of_what_waits_for_fibers) { storm_over(waiting_calls(), 2'000); }
TEST(cancel_phases_stress, of_locks) { storm_over(locking_calls(), 2'000); }
TEST(cancel_phases_stress, of_signals) { storm_over(signalling_calls(), 2'000); }
TEST(cancel_phases_stress, of_channels) { storm_over(channel_calls(), 2'000); }
TEST(cancel_phases_stress, of_sockets) { storm_over(socket_calls(), 300); }
