// Fiber-locals and contexts of children that gather() calls on their parents' stacks.
#include "support/with_cores.h"

#include <array>
#include <atomic>
#include <memory>

using namespace weft_test;

WEFT_TEST(fork_variables, children_have_variables_of_their_own) {
  static weft::fiber_local<int> number;
  static weft::context_local<int> setting("setting");
  number.get() = 1;
  const auto token = setting.set(10);
  const auto child = [] {
    EXPECT_EQ(number.get(), 0);
    EXPECT_EQ(setting.get(), 10);
    number.get() = 2;
    static_cast<void>(setting.set(20));
    weft::this_fiber::yield();
    EXPECT_EQ(number.get(), 2);
    EXPECT_EQ(setting.get(), 20);
  };
  weft::gather(child, child, [&] { weft::gather(child, child); });
  EXPECT_EQ(number.get(), 1);
  EXPECT_EQ(setting.get(), 10);
}

WEFT_TEST(fork_variables, a_childs_variables_end_with_it) {
  struct counted {
    explicit counted(std::atomic<int>& n) : ended(&n) {}
    ~counted() { ++*ended; }
    std::atomic<int>* ended;
  };
  static weft::fiber_local<std::unique_ptr<counted>> kept;
  std::array<std::atomic<int>, 2> ended{};
  weft::gather([&] { kept.get() = std::make_unique<counted>(ended[0]); },
               [&] { kept.get() = std::make_unique<counted>(ended[1]); });
  EXPECT_TRUE(yield_until([&] { return ended[0] == 1 && ended[1] == 1; }));
  EXPECT_EQ(kept.get(), nullptr);
}

WEFT_TEST(fork_variables, variables_of_a_cancelled_child_may_wait_at_their_end) {
  struct waits_at_end {
    std::atomic<int>* ended = nullptr;
    ~waits_at_end() {
      if (ended == nullptr) return;
      weft::this_fiber::sleep_for(1ns);
      ++*ended;
    }
  };
  static weft::fiber_local<waits_at_end> kept;
  std::atomic<int> ended{0};
  weft::with_scope([&](weft::scope& crew) {
    weft::gather(
        [&] {
          kept.get().ended = &ended;
          crew.cancel();
        },
        [] {});
  });
  EXPECT_EQ(ended, 1);
}
