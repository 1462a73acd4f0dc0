// Numbers through a channel: one sender and one receiver without a buffer ("rendezvous") or with one of 100
// ("buffered"), and four of each with a buffer of 100 ("many"). An item is one number.
#include "../support/race.h"

#include <weft/weft.h>

#include <vector>

namespace {

std::uint64_t pass(std::size_t capacity, std::uint64_t pairs, std::uint64_t count) {
  weft::channel<std::uint64_t> numbers(capacity);
  std::vector<weft::fiber<std::uint64_t>> receivers;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    receivers.push_back(weft::spawn([&numbers] {
      std::uint64_t sum = 0;
      while (const auto number = numbers.receive()) sum += *number;
      return sum;
    }));
  }
  weft::with_scope([&](weft::scope& senders) {
    for (std::uint64_t i = 0; i < pairs; ++i) {
      senders.spawn([&numbers, i, pairs, count] {
        for (std::uint64_t number = i; number < count; number += pairs) numbers.send(std::uint64_t{number});
      });
    }
  });
  numbers.close();
  std::uint64_t sum = 0;
  for (auto& each : receivers) sum += each.join();
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "rendezvous", 1'000'000);
  if (what.variant != "rendezvous" && what.variant != "buffered" && what.variant != "many") {
    race::refuse("channel", what);
  }
  const std::size_t capacity = what.variant == "rendezvous" ? 0 : 100;
  const std::uint64_t pairs = what.variant == "many" ? 4 : 1;
  const auto result = weft::run({.cores = what.cores},
                                [&] { return race::measured([&] { return pass(capacity, pairs, what.size); }); });
  return race::report("channel", "weft", what, what.size, result, what.size * (what.size - 1) / 2);
}
