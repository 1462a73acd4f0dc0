// Which number has the longest Collatz chain? A source, several workers and a collector, with a channel between each;
// the bounds of the channels keep the source from running ahead.
//
// usage: pipeline [LIMIT]
#include <weft/weft.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

struct range {
  std::uint64_t first, last;
};

struct chain {
  std::uint64_t start = 1;
  std::uint64_t steps = 0;
};

std::uint64_t steps_of(std::uint64_t n) {
  std::uint64_t steps = 0;
  for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

chain longest_in(range part) {
  chain longest;
  for (std::uint64_t n = part.first; n < part.last; ++n) {
    if (const std::uint64_t steps = steps_of(n); steps > longest.steps) longest = {n, steps};
  }
  return longest;
}

void split(std::uint64_t limit, weft::channel<range>& parts) {
  constexpr std::uint64_t part = 1000;
  for (std::uint64_t first = 1; first < limit; first += part) parts.send({first, std::min(first + part, limit)});
  parts.close();
}

chain find_longest(std::uint64_t limit) {
  weft::channel<range> parts(16);
  weft::channel<chain> found(16);
  auto source = weft::spawn([&] { split(limit, parts); });
  std::vector<weft::fiber<void>> workers;
  const unsigned count = std::max(1u, std::thread::hardware_concurrency());  // 0: it cannot be told.
  for (unsigned i = 0; i < count; ++i) {
    workers.push_back(weft::spawn([&] {
      for (const range& part : parts) found.send(longest_in(part));
    }));
  }
  auto closer = weft::spawn([&] {
    for (auto& worker : workers) worker.join();
    found.close();
  });
  chain longest;
  for (const chain& each : found) {
    if (each.steps > longest.steps || (each.steps == longest.steps && each.start < longest.start)) longest = each;
  }
  source.join();
  closer.join();
  return longest;
}

std::uint64_t limit_from(int argument_count, char** arguments) {
  if (argument_count < 2) return 1'000'000;
  const char* const end = arguments[1] + std::strlen(arguments[1]);
  std::uint64_t limit = 0;
  const auto [stop, error] = std::from_chars(arguments[1], end, limit);
  if (argument_count > 2 || error != std::errc{} || stop != end || limit < 2 || limit > 1'000'000'000) {
    throw std::invalid_argument("usage: pipeline [LIMIT], from 2 to 1000000000");
  }
  return limit;
}

}  // namespace

int main(int argument_count, char** arguments) try {
  const std::uint64_t limit = limit_from(argument_count, arguments);
  const chain longest = weft::run([limit] { return find_longest(limit); });
  std::printf("below %ju, %ju has the longest chain: %ju steps\n", static_cast<std::uintmax_t>(limit),
              static_cast<std::uintmax_t>(longest.start), static_cast<std::uintmax_t>(longest.steps));
} catch (const std::exception& failed) {
  std::fprintf(stderr, "pipeline: %s\n", failed.what());
  return 2;
}
