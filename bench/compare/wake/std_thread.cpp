#include "../support/latency.h"
#include "../support/race.h"

#include <condition_variable>
#include <mutex>
#include <thread>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "asleep", 200);
  if (what.variant != "asleep" && what.variant != "awake") race::refuse("wake", what);
  std::mutex guard;
  std::condition_variable bell;
  std::condition_variable answers;
  race::moment rung_at;
  bool is_rung = false;
  race::latencies taken;
  std::thread ringer([&] {
    for (std::uint64_t i = 0; i < what.size; ++i) {
      if (what.variant == "asleep") std::this_thread::sleep_for(race::pause_between_wakes);
      std::unique_lock hold(guard);
      rung_at = race::clock::now();
      is_rung = true;
      bell.notify_one();
      answers.wait(hold, [&] { return !is_rung; });
    }
  });
  for (std::uint64_t i = 0; i < what.size; ++i) {
    std::unique_lock hold(guard);
    bell.wait(hold, [&] { return is_rung; });
    taken.add(race::clock::now() - rung_at);
    is_rung = false;
    answers.notify_one();
  }
  ringer.join();
  return race::report("wake", "std_thread", what, what.size, {taken.seconds(), taken.count()}, what.size,
                      taken.percentiles());
}
