// fiber_local: whose value it is, when it is made, and when it goes.
#include "support/counted.h"
#include "support/with_cores.h"

#include <weft/fiber_local.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace weft_test;

namespace {

weft::fiber_local<int> number;

// Notes the order in which its likes are destroyed.
struct noting {
  std::vector<int>* into = nullptr;
  int name = 0;
  ~noting() {
    if (into != nullptr) into->push_back(name);
  }
};

weft::fiber_local<noting> first, second, third;

struct waiting_in_its_destructor {
  std::atomic<int>* ended = nullptr;
  ~waiting_in_its_destructor() {
    if (ended == nullptr) return;
    weft::this_fiber::sleep_for(1us);
    weft::this_fiber::yield();
    ++*ended;
  }
};

weft::fiber_local<waiting_in_its_destructor> waiting;

struct making_another_in_its_destructor {
  std::vector<int>* into = nullptr;
  ~making_another_in_its_destructor() {
    if (into != nullptr) first->into = into;
  }
};

weft::fiber_local<making_another_in_its_destructor> making;

}  // namespace

WEFT_TEST(fiber_local, each_fiber_has_its_own) {
  EXPECT_EQ(number.find(), nullptr);
  *number = 1;
  std::vector<weft::fiber<int>> fibers;
  for (int i = 0; i < 50; ++i) {
    fibers.push_back(weft::spawn([i] {
      EXPECT_EQ(*number, 0);
      *number = i;
      for (int k = 0; k < 3; ++k) weft::this_fiber::yield();
      return *number;
    }));
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(fibers[static_cast<std::size_t>(i)].join(), i);
  EXPECT_EQ(*number, 1);
}

WEFT_TEST(fiber_local, the_next_fiber_on_a_stack_begins_anew) {
  for (int i = 0; i < 20; ++i) {
    weft::spawn([i] {
      EXPECT_EQ(number.find(), nullptr);
      *number = i;
    }).join();
  }
}

WEFT_TEST(fiber_local, is_made_by_its_function_at_the_first_use) {
  std::atomic<int> made{0};
  weft::fiber_local<std::unique_ptr<int>> v{[&] { return std::make_unique<int>(++made); }};
  EXPECT_EQ(made, 0);
  EXPECT_EQ(**v, 1);
  EXPECT_EQ(**v, 1);
  weft::spawn([&] { EXPECT_EQ(**v, 2); }).join();
  EXPECT_EQ(made, 2);
}

WEFT_TEST(fiber_local, an_error_while_making_is_passed_on_and_tried_again) {
  int calls = 0;
  weft::fiber_local<int> v{[&] {
    if (++calls == 1) throw std::runtime_error("not yet");
    return 5;
  }};
  EXPECT_THROW(v.get(), std::runtime_error);
  EXPECT_EQ(v.find(), nullptr);
  EXPECT_EQ(*v, 5);
}

WEFT_TEST(fiber_local, making_may_suspend_and_use_others) {
  weft::fiber_local<int> v{[] {
    weft::this_fiber::sleep_for(1us);
    return ++*number + 1;
  }};
  std::vector<weft::fiber<int>> fibers;
  for (int i = 0; i < 10; ++i) fibers.push_back(weft::spawn([&] { return *v; }));
  for (auto& each : fibers) EXPECT_EQ(each.join(), 2);
}

WEFT_TEST(fiber_local, values_go_in_reverse_order_before_the_join_returns) {
  std::vector<int> order;
  weft::spawn([&] {
    second->name = 2;
    first->name = 1;
    third->name = 3;
    for (auto* const each : {&first, &second, &third}) (*each)->into = &order;
  }).join();
  EXPECT_EQ(order, (std::vector{3, 1, 2}));
}

WEFT_TEST(fiber_local, destructors_may_wait_even_on_a_cancelled_fiber) {
  std::atomic<int> ended{0};
  std::atomic<bool> began{false};
  weft::spawn([&] { waiting->ended = &ended; }).join();
  EXPECT_EQ(ended, 1);
  auto f = weft::spawn([&] {
    waiting->ended = &ended;
    began = true;
    weft::this_fiber::sleep_for(long_enough);
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_EQ(ended, 2);
}

WEFT_TEST(fiber_local, destructors_may_make_others) {
  std::vector<int> order;
  weft::spawn([&] { making->into = &order; }).join();
  EXPECT_EQ(order, std::vector{0});
}

WEFT_TEST(fiber_local, values_outlive_their_variable) {
  std::atomic<int> live{0};
  std::atomic<bool> is_gone{false};
  auto v = std::make_unique<weft::fiber_local<counted>>([&] { return counted(live, 1); });
  auto f = weft::spawn([&] {
    EXPECT_EQ(v->get().value, 1);
    is_gone = true;
    weft::this_fiber::yield();
    // Another variable, in the same place perhaps, has another value.
    weft::fiber_local<int> other{[] { return 7; }};
    EXPECT_EQ(*other, 7);
    EXPECT_EQ(live, 1);
  });
  ASSERT_TRUE(yield_until([&] { return is_gone.load(); }));
  v.reset();
  f.join();
  EXPECT_EQ(live, 0);
}

WEFT_TEST(fiber_local, there_may_be_many) {
  std::vector<std::unique_ptr<weft::fiber_local<int>>> many;
  for (int i = 0; i < 100; ++i) many.push_back(std::make_unique<weft::fiber_local<int>>([i] { return i; }));
  int sum = 0;
  for (const auto& each : many) sum += **each;
  for (const auto& each : many) sum += **each;
  EXPECT_EQ(sum, 2 * 4950);
}

// Callbacks, results and closures are destroyed around the end of a fiber: what they make goes, too.
WEFT_TEST(fiber_local, leaves_nothing_to_the_next_fiber_on_the_stack) {
  struct uses_it {
    bool is_first = true;
    uses_it() = default;
    uses_it(uses_it&& other) noexcept : is_first(std::exchange(other.is_first, false)) {}
    ~uses_it() {
      if (is_first) ++*number;
    }
  };
  for (int i = 0; i < 20; ++i) {
    weft::spawn_detached([] { return uses_it(); });
    auto f = weft::spawn([held = uses_it()] { weft::this_fiber::yield(); });
    f.on_done([] { ++*number; });
    f.join();
    weft::spawn([] { EXPECT_EQ(number.find(), nullptr); }).join();
  }
  number.get() = 0;
}

TEST(fiber_local, a_plain_thread_has_its_own_until_its_end) {
  std::vector<int> order;
  std::thread([&] {
    EXPECT_EQ(number.find(), nullptr);
    *number = 5;
    EXPECT_EQ(*number, 5);
    first->into = &order;
    second->name = 1;
    second->into = &order;
  }).join();
  EXPECT_EQ(order, (std::vector{1, 0}));
  std::thread([] { EXPECT_EQ(number.find(), nullptr); }).join();
}

TEST(fiber_local, a_plain_thread_leaves_nothing_to_the_next_one) {
  struct uses_number {
    bool is_mine = false;
    ~uses_number() {
      if (is_mine) *number = 7;
    }
  };
  static weft::context_local<std::shared_ptr<uses_number>> held("held");
  for (int i = 0; i < 3; ++i) {
    std::thread([] {
      const auto last = std::make_shared<uses_number>();
      last->is_mine = true;
      static_cast<void>(held.set(last));  // From here on weft knows the thread.
      EXPECT_EQ(number.find(), nullptr);
    }).join();
  }
}

namespace {
void leave_one_that_waits(std::atomic<int>& ended) { waiting->ended = &ended; }
}  // namespace

// As with std::thread::join() and thread_local.
WEFT_TEST(fiber_local, of_a_scopes_children_are_gone_when_the_join_returns) {
  for (std::size_t i = 0; i < repeated(50, 10); ++i) {
    std::atomic<int> ended{0};
    weft::with_scope([&](weft::scope& crew) {
      for (int k = 0; k < 3; ++k) crew.spawn([&] { leave_one_that_waits(ended); });
    });
    ASSERT_EQ(ended, 3);
  }
}

WEFT_TEST(fiber_local, of_gathered_children_are_gone_when_it_returns) {
  for (std::size_t i = 0; i < repeated(50, 10); ++i) {
    std::atomic<int> ended{0};
    // The first one suspends, so the others get stacks of their own.
    weft::gather(
        [&] {
          weft::this_fiber::sleep_for(1us);
          leave_one_that_waits(ended);
        },
        [&] { leave_one_that_waits(ended); }, [&] { leave_one_that_waits(ended); });
    ASSERT_EQ(ended, 3);
  }
}
