// A tree of fibers with ten children each that sums up the numbers of its leaves, passed up by joins ("joins") or through
// channels ("channels"). An item is one leaf.
#include "../support/race.h"

#include <weft/weft.h>

#include <array>

namespace {

struct subtree {
  std::uint64_t number;
  std::uint64_t size;

  std::uint64_t operator()() const;
};

std::uint64_t by_joins(std::uint64_t number, std::uint64_t size) {
  if (size == 1) return number;
  std::array<subtree, 10> children;
  for (std::uint64_t i = 0; i < 10; ++i) children[i] = {number + i * (size / 10), size / 10};
  std::uint64_t sum = 0;
  for (const std::uint64_t each : weft::gather(children)) sum += each;
  return sum;
}

std::uint64_t subtree::operator()() const { return by_joins(number, size); }

void through_channels(weft::channel<std::uint64_t>& up, std::uint64_t number, std::uint64_t size) {
  if (size == 1) {
    up.send(std::uint64_t{number});
    return;
  }
  weft::channel<std::uint64_t> sums;
  std::uint64_t sum = 0;
  weft::with_scope([&](weft::scope& children) {
    for (std::uint64_t i = 0; i < 10; ++i) {
      children.spawn([&sums, number, size, i] { through_channels(sums, number + i * (size / 10), size / 10); });
    }
    for (int i = 0; i < 10; ++i) sum += *sums.receive();
  });
  up.send(std::move(sum));
}

std::uint64_t root_of_channels(std::uint64_t leaves) {
  weft::channel<std::uint64_t> result;
  auto root = weft::spawn([&] { through_channels(result, 0, leaves); });
  const std::uint64_t sum = *result.receive();
  root.join();
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "joins", 1'000'000);
  if (what.variant != "joins" && what.variant != "channels") race::refuse("skynet", what);
  const auto result = weft::run({.cores = what.cores}, [&] {
    return race::measured(
        [&] { return what.variant == "joins" ? by_joins(0, what.size) : root_of_channels(what.size); });
  });
  return race::report("skynet", "weft", what, what.size, result, what.size * (what.size - 1) / 2);
}
