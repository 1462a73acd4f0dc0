// Calls that share one execution.
#include "support/waiting.h"

#include <stdexcept>
#include <string>

using namespace weft_test;

WEFT_TEST(single_flight, shares_one_execution_among_those_that_come_meanwhile) {
  const weft::pin_guard stay;
  weft::single_flight<std::string, int> loads;
  weft::event go;
  int calls = 0;
  std::vector<weft::fiber<int>> crew;
  for (int i = 0; i < 5; ++i) {
    crew.push_back(begin_here([&] {
      return loads.run("key", [&] {
        go.wait();
        return ++calls;
      });
    }));
  }
  EXPECT_EQ(loads.run("another", [] { return 7; }), 7);
  go.set();
  for (auto& each : crew) EXPECT_EQ(each.join(), 1);
  EXPECT_EQ(loads.run("key", [&] { return ++calls; }), 2) << "it is no cache";
}

WEFT_TEST(single_flight, shares_errors) {
  const weft::pin_guard stay;
  weft::single_flight<int, void> loads;
  weft::event go;
  std::vector<weft::fiber<bool>> crew;
  for (int i = 0; i < 3; ++i) {
    crew.push_back(begin_here([&, i] {
      try {
        loads.run(1, [&, i] {
          go.wait();
          throw std::runtime_error("from " + std::to_string(i));
        });
      } catch (const std::runtime_error& error) {
        return error.what() == std::string("from 0");
      }
      return false;
    }));
  }
  go.set();
  for (auto& each : crew) EXPECT_TRUE(each.join());
}

WEFT_TEST(single_flight, a_cancelled_leader_hands_over_to_one_that_waits) {
  const weft::pin_guard stay;
  weft::single_flight<int, int> loads;
  weft::event never, go;
  auto leader = begin_here([&] {
    return loads.run(1, [&] {
      never.wait();
      return 1;
    });
  });
  auto second = begin_here([&] {
    return loads.run(1, [&] {
      go.wait();
      return 2;
    });
  });
  auto third = begin_here([&] { return loads.run(1, [] { return 3; }); });
  leader.cancel();
  EXPECT_TRUE(ended_cancelled(leader));
  go.set();
  EXPECT_EQ(second.join(), 2);
  EXPECT_EQ(third.join(), 2);
}

WEFT_TEST(single_flight, a_cancelled_waiter_leaves_the_others) {
  const weft::pin_guard stay;
  weft::single_flight<int, int> loads;
  weft::event go;
  auto leader = begin_here([&] {
    return loads.run(1, [&] {
      go.wait();
      return 1;
    });
  });
  auto cancelled = begin_here([&] { return loads.run(1, [] { return 2; }); });
  auto waits = begin_here([&] { return loads.run(1, [] { return 3; }); });
  cancelled.cancel();
  EXPECT_TRUE(ended_cancelled(cancelled));
  go.set();
  EXPECT_EQ(leader.join(), 1);
  EXPECT_EQ(waits.join(), 1);
}

WEFT_TEST(single_flight, starts_anew_when_all_were_cancelled) {
  const weft::pin_guard stay;
  weft::single_flight<int, int> loads;
  weft::event never;
  std::vector<weft::fiber<int>> crew;
  for (int i = 0; i < 4; ++i) {
    crew.push_back(begin_here([&] {
      return loads.run(1, [&] {
        never.wait();
        return 1;
      });
    }));
  }
  for (auto& each : crew) each.cancel();
  for (auto& each : crew) EXPECT_TRUE(ended_cancelled(each));
  EXPECT_EQ(loads.run(1, [] { return 5; }), 5);
}

WEFT_TEST(single_flight, a_forgotten_call_is_not_joined_any_more) {
  const weft::pin_guard stay;
  weft::single_flight<int, int> loads;
  weft::event go;
  auto slow = begin_here([&] {
    return loads.run(1, [&] {
      go.wait();
      return 1;
    });
  });
  loads.forget(1);
  EXPECT_EQ(loads.run(1, [] { return 2; }), 2);
  go.set();
  EXPECT_EQ(slow.join(), 1);
}

WEFT_TEST(single_flight, refuses_a_call_from_within_itself) {
  weft::single_flight<int, int> loads;
  EXPECT_EQ(error_of([&] { loads.run(1, [&] { return loads.run(1, [] { return 1; }); }); }),
            std::errc::resource_deadlock_would_occur);
  EXPECT_EQ(loads.run(1, [&] { return loads.run(2, [] { return 4; }); }), 4);
}

WEFT_TEST(single_flight, serves_plain_threads_too) {
  weft::single_flight<int, int> loads;
  std::atomic<int> calls{0};
  const auto work = [&] {
    for (std::size_t i = 0; i < repeated(200, 40); ++i) {
      EXPECT_EQ(loads.run(static_cast<int>(i % 3),
                          [&, i] {
                            ++calls;
                            weft::this_fiber::yield();
                            return static_cast<int>(i % 3);
                          }),
                static_cast<int>(i % 3));
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) crew.push_back(weft::spawn(work));
  on_plain_thread(work);
  for (auto& each : crew) each.join();
  EXPECT_GT(calls, 0);
}
