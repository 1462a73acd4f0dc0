#include "../support/boost_fiber.h"
#include "../support/race.h"

#include <array>

namespace {

std::uint64_t by_joins(std::uint64_t number, std::uint64_t size) {
  if (size == 1) return number;
  std::array<std::uint64_t, 10> found{};
  std::array<boost::fibers::fiber, 10> children;
  for (std::uint64_t i = 0; i < 10; ++i) {
    children[i] = boost::fibers::fiber(boost::fibers::launch::dispatch, [number, size, i, &mine = found[i]] {
      mine = by_joins(number + i * (size / 10), size / 10);
    });
  }
  for (auto& each : children) each.join();
  std::uint64_t sum = 0;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

using numbers = boost::fibers::buffered_channel<std::uint64_t>;

void through_channels(numbers& up, std::uint64_t number, std::uint64_t size) {
  if (size == 1) {
    up.push(number);
    return;
  }
  numbers sums(16);
  std::array<boost::fibers::fiber, 10> children;
  for (std::uint64_t i = 0; i < 10; ++i) {
    children[i] = boost::fibers::fiber(boost::fibers::launch::dispatch, [&sums, number, size, i] {
      through_channels(sums, number + i * (size / 10), size / 10);
    });
  }
  std::uint64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += sums.value_pop();
  for (auto& each : children) each.join();
  up.push(sum);
}

std::uint64_t root_of_channels(std::uint64_t leaves) {
  numbers result(2);
  boost::fibers::fiber root([&] { through_channels(result, 0, leaves); });
  const std::uint64_t sum = result.value_pop();
  root.join();
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "joins", 1'000'000);
  if (what.variant != "joins" && what.variant != "channels") race::refuse("skynet", what);
  const auto result = race::run_on_boost(what.cores, [&] {
    return race::measured(
        [&] { return what.variant == "joins" ? by_joins(0, what.size) : root_of_channels(what.size); });
  });
  return race::report("skynet", "boost_fiber", what, what.size, result, what.size * (what.size - 1) / 2);
}
