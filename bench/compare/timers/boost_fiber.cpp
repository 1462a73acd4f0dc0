// Boost.Fiber has no deadline around a piece of code: only "sleepers" is the same work.
#include "../support/boost_fiber.h"
#include "../support/race.h"

#include <chrono>

namespace {

std::uint64_t sleep_together(std::uint64_t count) {
  std::uint64_t awake = 0;
  std::vector<boost::fibers::fiber> sleepers;
  sleepers.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    sleepers.emplace_back([&awake, i] {
      boost::this_fiber::sleep_for(std::chrono::milliseconds(500 + i % 500));
      ++awake;
    });
  }
  for (auto& each : sleepers) each.join();
  return awake;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "sleepers", 10'000);
  if (what.variant != "sleepers" || what.cores != 1) race::refuse("timers", what);
  const auto result = race::measured([&] { return sleep_together(what.size); });
  return race::report("timers", "boost_fiber", what, what.size, result, what.size);
}
