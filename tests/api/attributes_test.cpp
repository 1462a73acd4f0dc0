// What a fiber can be asked to be.
#include "support/runtime_checks.h"

#include <array>
#include <cfenv>
#include <cstring>
#include <vector>

using namespace weft_test;

namespace {

// A fiber that cannot start before the caller suspends.
template <class F>
auto spawn_behind_me(F f) {
  return weft::spawn({.core = weft::this_fiber::core()}, std::move(f));
}

}  // namespace

WEFT_TEST(attributes, takes_the_longest_name_and_refuses_a_longer_one) {
  const std::string longest(weft::attributes::longest_name, 'n');
  EXPECT_EQ(weft::spawn({.name = longest}, [] { return std::string(weft::this_fiber::name()); }).join(), longest);
  const std::string text = refusal_of([&] { weft::spawn({.name = longest + "!"}, [] {}).join(); });
  EXPECT_TRUE(says(text, "weft::spawn") && says(text, longest + "!") && says(text, "64")) << text;
}

WEFT_TEST(attributes, refuses_stacks_out_of_range) {
  const std::string small = refusal_of([] { weft::spawn({.stack_bytes = 1}, [] {}).join(); });
  EXPECT_TRUE(says(small, "a stack of 1 bytes")) << small;
  const std::size_t beyond = weft::attributes::largest_stack_bytes + 1;
  const std::string large = refusal_of([&] { weft::spawn({.stack_bytes = beyond}, [] {}).join(); });
  EXPECT_TRUE(says(large, std::to_string(beyond))) << large;
  weft::spawn({.stack_bytes = weft::attributes::smallest_stack_bytes}, [] {}).join();
  weft::spawn({.stack_bytes = weft::attributes::largest_stack_bytes}, [] {}).join();
}

WEFT_TEST(attributes, refuses_a_core_that_is_not_there) {
  const std::size_t beyond = current_setting.cores;
  const std::string text = refusal_of([&] { weft::spawn({.core = beyond}, [] {}).join(); });
  EXPECT_TRUE(says(text, "core " + std::to_string(beyond))) << text;
}

WEFT_TEST(attributes, keeps_the_rounding_of_a_fiber_to_itself) {
  auto careful = weft::spawn({.preserve_fp = true}, [] {
    std::fesetround(FE_UPWARD);
    bool kept = true;
    for (int i = 0; i < 10; ++i) {
      weft::this_fiber::yield();
      kept = kept && std::fegetround() == FE_UPWARD;
    }
    return kept;
  });
  for (int i = 0; i < 10; ++i) {
    weft::spawn([] { EXPECT_EQ(std::fegetround(), FE_TONEAREST); }).join();
    EXPECT_EQ(std::fegetround(), FE_TONEAREST);
    weft::this_fiber::yield();
  }
  EXPECT_TRUE(careful.join());
  weft::spawn([] { EXPECT_EQ(std::fegetround(), FE_TONEAREST); }).join();
}

WEFT_TEST(attributes, keeps_a_fiber_on_its_core) {
  std::vector<weft::fiber<bool>> crew;
  for (std::size_t i = 0; i < 4 * current_setting.cores; ++i) {
    const std::size_t mine = i % current_setting.cores;
    crew.push_back(weft::spawn({.core = mine, .migration = weft::migration::free}, [mine] {
      bool stayed = weft::this_fiber::core() == mine;
      for (int k = 0; k < 20; ++k) {
        k % 5 == 0 ? weft::this_fiber::sleep_for(50us) : weft::this_fiber::yield();
        stayed = stayed && weft::this_fiber::core() == mine;
      }
      return stayed;
    }));
  }
  for (auto& each : crew) EXPECT_TRUE(each.join());
}

namespace {
int depth_reached(int frames) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(frames);
  if (frames == 0) return 0;
  return depth_reached(frames - 1) + 1 + (frame[0] - static_cast<char>(frames));
}
}  // namespace

WEFT_TEST(attributes, gives_as_much_stack_as_is_asked_for) {
  const int frames = is_instrumented ? 400 : 800;
  auto deep = weft::spawn({.stack_bytes = 1 << 20}, [frames] {
    const int first = depth_reached(frames);
    weft::this_fiber::yield();
    return first + depth_reached(frames);
  });
  EXPECT_EQ(deep.join(), 2 * frames);
}

WEFT_TEST(attributes, mixes_stack_classes) {
  std::vector<weft::fiber<int>> crew;
  for (int i = 0; i < 100; ++i) {
    crew.push_back(weft::spawn({.stack_bytes = std::size_t{16 << 10} << (i % 6)}, [i] {
      if (i % 3 == 0) weft::this_fiber::yield();
      return i;
    }));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(crew[static_cast<std::size_t>(i)].join(), i);
}

WEFT_TEST(fiber, does_not_start_before_its_spawner_suspends_where_both_want_one_core) {
  bool started = false;
  auto f = spawn_behind_me([&] { started = true; });
  EXPECT_FALSE(started);
  f.join();
  EXPECT_TRUE(started);
}
