#include "../support/boost_fiber.h"
#include "../support/race.h"

#include <mutex>

namespace {

std::uint64_t count_together(std::uint64_t fibers, std::uint64_t count) {
  boost::fibers::mutex guard;
  std::uint64_t counter = 0;
  std::vector<boost::fibers::fiber> crew;
  for (std::uint64_t f = 0; f < fibers; ++f) {
    crew.emplace_back([&] {
      for (std::uint64_t i = 0; i < count / fibers; ++i) {
        const std::lock_guard hold(guard);
        ++counter;
        if (fibers > 1 && i % 16 == 0) boost::this_fiber::yield();
      }
    });
  }
  for (auto& each : crew) each.join();
  return counter;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "uncontended", 1'000'000);
  if (what.variant != "uncontended" && what.variant != "contended") race::refuse("mutex", what);
  const std::uint64_t fibers = what.variant == "contended" ? 8 : 1;
  const auto result =
      race::run_on_boost(what.cores, [&] { return race::measured([&] { return count_together(fibers, what.size); }); });
  return race::report("mutex", "boost_fiber", what, what.size, result, what.size / fibers * fibers);
}
