#include "../support/race.h"

#include <thread>

int main(int argc, char** argv) {
  const race::order what(argc, argv, "pair", 1'000'000);
  const auto result = race::measured([&] {
    std::uint64_t turns[2] = {};
    const auto take_turns = [rounds = what.size / 2](std::uint64_t& mine) {
      std::uint64_t done = 0;
      for (; done < rounds; ++done) std::this_thread::yield();
      mine = done;
    };
    std::thread first([&] { take_turns(turns[0]); });
    std::thread second([&] { take_turns(turns[1]); });
    first.join();
    second.join();
    return turns[0] + turns[1];
  });
  return race::report("yield", "std_thread", what, what.size, result, what.size);
}
