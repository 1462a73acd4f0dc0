#include "../support/race.h"

#include <mutex>
#include <thread>
#include <vector>

namespace {

std::uint64_t count_together(std::uint64_t threads, std::uint64_t count) {
  std::mutex guard;
  std::uint64_t counter = 0;
  std::vector<std::thread> crew;
  for (std::uint64_t t = 0; t < threads; ++t) {
    crew.emplace_back([&] {
      for (std::uint64_t i = 0; i < count / threads; ++i) {
        const std::lock_guard hold(guard);
        ++counter;
        if (threads > 1 && i % 16 == 0) std::this_thread::yield();
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
  const std::uint64_t threads = what.variant == "contended" ? 8 : 1;
  const auto result = race::measured([&] { return count_together(threads, what.size); });
  return race::report("mutex", "std_thread", what, what.size, result, what.size / threads * threads);
}
