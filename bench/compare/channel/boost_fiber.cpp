// A buffered_channel of Boost.Fiber holds one less than the power of two that it is made with.
#include "../support/boost_fiber.h"
#include "../support/race.h"

namespace {

template <class Channel>
std::uint64_t pass(Channel& numbers, std::uint64_t pairs, std::uint64_t count) {
  std::vector<std::uint64_t> sums(pairs);
  std::vector<boost::fibers::fiber> receivers;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    receivers.emplace_back([&numbers, &sums, i] {
      std::uint64_t number = 0;
      std::uint64_t sum = 0;
      while (numbers.pop(number) == boost::fibers::channel_op_status::success) sum += number;
      sums[i] = sum;
    });
  }
  std::vector<boost::fibers::fiber> senders;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    senders.emplace_back([&numbers, i, pairs, count] {
      for (std::uint64_t number = i; number < count; number += pairs) numbers.push(number);
    });
  }
  for (auto& each : senders) each.join();
  numbers.close();
  std::uint64_t sum = 0;
  for (auto& each : receivers) each.join();
  for (const std::uint64_t each : sums) sum += each;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "rendezvous", 1'000'000);
  if (what.variant != "rendezvous" && what.variant != "buffered" && what.variant != "many") {
    race::refuse("channel", what);
  }
  const auto result = race::run_on_boost(what.cores, [&] {
    return race::measured([&] {
      if (what.variant == "rendezvous") {
        boost::fibers::unbuffered_channel<std::uint64_t> numbers;
        return pass(numbers, 1, what.size);
      }
      boost::fibers::buffered_channel<std::uint64_t> numbers(128);
      return pass(numbers, what.variant == "many" ? 4 : 1, what.size);
    });
  });
  return race::report("channel", "boost_fiber", what, what.size, result, what.size * (what.size - 1) / 2);
}
