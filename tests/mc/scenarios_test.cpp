// Every scenario is a test. WEFT_MC_REPLAY="choices" runs one execution of the chosen scenario and prints its trace;
// WEFT_MC_LONG=1 goes one preemption further, and adds many executions at random.
#include "scenarios/scenario.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

namespace {

using weft_mc::scenario;
namespace mc = weft::mc;

bool is_long() { return std::getenv("WEFT_MC_LONG") != nullptr; }

class scenario_test : public testing::Test {
 public:
  explicit scenario_test(const scenario& s) : scenario_(s) {}

  void TestBody() override {
    if (const char* const choices = std::getenv("WEFT_MC_REPLAY")) {
      const mc::verdict v = mc::replay_of(scenario_.run, choices);
      std::cout << v.trace;
      EXPECT_TRUE(v.holds) << v.failure;
      return;
    }
    if (scenario_.at_random == 0) try_all();
    if (scenario_.at_random != 0 || is_long()) try_at_random();
  }

 private:
  void try_all() {
    const std::size_t further = is_long() ? 1 : 0;
    const mc::verdict v =
        mc::check(scenario_.run, {scenario_.preemptions + further, scenario_.old_stores + further, scenario_.failures});
    EXPECT_TRUE(v.holds) << v;
    EXPECT_TRUE(v.is_complete);
    RecordProperty("executions", static_cast<int>(v.executions));
  }

  void try_at_random() const {
    const char* const wanted = std::getenv("WEFT_SEED");
    const std::uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
    const std::size_t executions = is_long() ? 100'000 : scenario_.at_random;
    const mc::verdict v = mc::check_by_priority(scenario_.run, seed, executions, 4);
    EXPECT_TRUE(v.holds) << "WEFT_SEED=" << seed << "\n" << v;
  }

  const scenario& scenario_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const scenario& s : weft_mc::scenarios()) {
    testing::RegisterTest("scenario", s.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [&s]() -> testing::Test* { return new scenario_test(s); });
  }
  return RUN_ALL_TESTS();
}
