// Fibers that are all parked at once, each on a guarded stack of its own. An item is one fiber; the clock runs from the
// first spawn until all of them wait. The memory that each takes is that of the first, cold round.
#include "../support/memory.h"
#include "../support/race.h"

#include <weft/weft.h>

#include <vector>

namespace {

struct figures {
  double seconds;
  long kb;
  std::uint64_t parked;
};

figures park(std::uint64_t count) {
  weft::mutex guard;
  weft::condition_variable go;
  weft::condition_variable all_there;
  std::uint64_t parked = 0;
  bool is_open = false;
  std::vector<weft::fiber<void>> fibers;
  fibers.reserve(count);
  const long before = race::memory_kb();
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    fibers.push_back(weft::spawn([&] {
      std::unique_lock hold(guard);
      if (++parked == count) all_there.notify_one();
      go.wait(hold, [&] { return is_open; });
    }));
  }
  std::unique_lock hold(guard);
  all_there.wait(hold, [&] { return parked == count; });
  const figures result{race::seconds_since(begin), race::memory_kb() - before, parked};
  is_open = true;
  go.notify_all();
  hold.unlock();
  for (auto& each : fibers) each.join();
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "parked", 100'000);
  return weft::run({.cores = what.cores}, [&] {
    const figures cold = park(what.size);
    const figures warm = park(what.size);
    return race::report("parked", "weft", what, what.size, {warm.seconds, warm.parked}, what.size,
                        race::kib_each(cold.kb, double(what.size)));
  });
}
