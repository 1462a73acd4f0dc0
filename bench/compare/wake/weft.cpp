// How long a sleeping fiber takes to run after a plain thread has sent it something: once in a while, so that its core
// sleeps too ("asleep"), or as soon as it has answered ("awake"). An item is one wake; `seconds` adds them up.
#include "../support/latency.h"
#include "../support/race.h"

#include <weft/weft.h>

#include <thread>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "asleep", 200);
  if (what.variant != "asleep" && what.variant != "awake") race::refuse("wake", what);
  weft::channel<race::moment> bell(1);
  weft::channel<int> answers(1);
  race::latencies taken;
  std::thread ringer([&] {
    for (std::uint64_t i = 0; i < what.size; ++i) {
      if (what.variant == "asleep") std::this_thread::sleep_for(race::pause_between_wakes);
      bell.send(race::clock::now());
      static_cast<void>(answers.receive());
    }
    bell.close();
  });
  weft::run({.cores = what.cores}, [&] {
    while (const auto rung_at = bell.receive()) {
      taken.add(race::clock::now() - *rung_at);
      answers.send(1);
    }
  });
  ringer.join();
  return race::report("wake", "weft", what, what.size, {taken.seconds(), taken.count()}, what.size,
                      taken.percentiles());
}
