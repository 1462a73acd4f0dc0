// A tree of fibers, ten children to a node and a million leaves, that sums the numbers of its leaves.
//
// usage: skynet [CORES]
#include <weft/weft.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>

namespace {

constexpr std::uint64_t leaves = 1'000'000;
constexpr std::uint64_t width = 10;

// The sum of `count` leaves, the first of which has the number `first`.
std::uint64_t sum_of(std::uint64_t first, std::uint64_t count) {
  if (count == 1) return first;
  std::array<weft::fiber<std::uint64_t>, width> children;
  for (std::uint64_t i = 0; i < width; ++i) {
    children[i] = weft::spawn([=] { return sum_of(first + i * (count / width), count / width); });
  }
  std::uint64_t sum = 0;
  for (auto& child : children) sum += child.join();
  return sum;
}

weft::options options_from(int argument_count, char** arguments) {
  weft::options wanted;
  if (argument_count < 2) return wanted;
  const char* const end = arguments[1] + std::strlen(arguments[1]);
  std::size_t cores = 0;
  const auto [stop, error] = std::from_chars(arguments[1], end, cores);
  if (argument_count > 2 || error != std::errc{} || stop != end) {
    throw std::invalid_argument("usage: skynet [CORES]");
  }
  wanted.cores = cores;
  return wanted;
}

}  // namespace

int main(int argument_count, char** arguments) try {
  const auto [sum, milliseconds] = weft::run(options_from(argument_count, arguments), [] {
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t total = sum_of(0, leaves);
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    return std::pair(total, taken.count());
  });
  std::printf("sum %ju in %.1f ms\n", static_cast<std::uintmax_t>(sum), milliseconds);
  return sum == leaves * (leaves - 1) / 2 ? 0 : 1;
} catch (const std::invalid_argument& wrong) {
  std::fprintf(stderr, "skynet: %s\n", wrong.what());
  return 2;
} catch (const std::exception& failed) {
  std::fprintf(stderr, "skynet: %s\n", failed.what());
  return 1;
}
