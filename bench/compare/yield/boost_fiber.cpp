#include "../support/boost_fiber.h"
#include "../support/race.h"

int main(int argc, char** argv) {
  const race::order what(argc, argv, "pair", 1'000'000);
  const auto result = race::run_on_boost(what.cores, [&] {
    return race::measured([&] {
      std::uint64_t turns[2] = {};
      const auto take_turns = [rounds = what.size / 2](std::uint64_t& mine) {
        for (; mine < rounds; ++mine) boost::this_fiber::yield();
      };
      boost::fibers::fiber first([&] { take_turns(turns[0]); });
      boost::fibers::fiber second([&] { take_turns(turns[1]); });
      first.join();
      second.join();
      return turns[0] + turns[1];
    });
  });
  return race::report("yield", "boost_fiber", what, what.size, result, what.size);
}
