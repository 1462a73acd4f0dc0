#include "../support/race.h"

#include <omp.h>

#include <array>

namespace {

std::uint64_t by_joins(std::uint64_t number, std::uint64_t size) {
  if (size == 1) return number;
  std::array<std::uint64_t, 10> found{};
  for (std::uint64_t i = 0; i < 10; ++i) {
#pragma omp task shared(found) firstprivate(number, size, i)
    found[i] = by_joins(number + i * (size / 10), size / 10);
  }
#pragma omp taskwait
  std::uint64_t sum = 0;
  for (const std::uint64_t each : found) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "joins", 1'000'000);
  if (what.variant != "joins") race::refuse("skynet", what);
  omp_set_num_threads(static_cast<int>(what.cores));
  const auto result = race::measured([&] {
    std::uint64_t sum = 0;
#pragma omp parallel
#pragma omp single
    sum = by_joins(0, what.size);
    return sum;
  });
  return race::report("skynet", "openmp", what, what.size, result, what.size * (what.size - 1) / 2);
}
