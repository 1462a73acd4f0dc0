#include "../support/race.h"

#include <tbb/global_control.h>
#include <tbb/task_group.h>

#include <array>

namespace {

std::uint64_t by_joins(std::uint64_t number, std::uint64_t size) {
  if (size == 1) return number;
  std::array<std::uint64_t, 10> found{};
  tbb::task_group children;
  for (std::uint64_t i = 0; i < 10; ++i) {
    children.run([number, size, i, &mine = found[i]] { mine = by_joins(number + i * (size / 10), size / 10); });
  }
  children.wait();
  std::uint64_t sum = 0;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "joins", 1'000'000);
  if (what.variant != "joins") race::refuse("skynet", what);
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, what.cores);
  const auto result = race::measured([&] { return by_joins(0, what.size); });
  return race::report("skynet", "tbb", what, what.size, result, what.size * (what.size - 1) / 2);
}
