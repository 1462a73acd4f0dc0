// skynet: a tree of fibers with ten children each and a million leaves; each sums up its children's numbers.
// Usage: weft CORES [ROUNDS]. Prints the fastest round and the median, in milliseconds.
#include <weft/weft.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

long skynet(long number, long size) {
  if (size == 1) return number;
  std::vector<weft::fiber<long>> children;
  children.reserve(10);
  for (long i = 0; i < 10; ++i) {
    children.push_back(weft::spawn([number, size, i] { return skynet(number + i * (size / 10), size / 10); }));
  }
  long sum = 0;
  for (auto& c : children) sum += c.join();
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  weft::options wanted;
  wanted.cores = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
  std::vector<double> times;
  const bool right = weft::run(wanted, [&] {
    for (int r = 0; r < rounds; ++r) {
      const auto begin = std::chrono::steady_clock::now();
      if (skynet(0, 1'000'000) != 499'999'500'000) return false;
      times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    return true;
  });
  if (!right) return 1;
  std::sort(times.begin(), times.end());
  std::printf("skynet weft cores=%zu min=%.1f median=%.1f ms\n", *wanted.cores, times.front(), times[times.size() / 2]);
}
