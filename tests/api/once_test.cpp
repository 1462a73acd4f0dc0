// call_once: one call, whoever comes first, and what becomes of calls that fail.
#include "support/waiting.h"

#include <optional>
#include <stdexcept>

using namespace weft_test;

WEFT_TEST(call_once, calls_once_and_all_see_the_result) {
  weft::once_flag flag;
  int calls = 0, value = 0;
  const auto work = [&] {
    weft::call_once(
        flag,
        [&](int v) {
          ++calls;
          weft::this_fiber::yield();
          value = v;
        },
        42);
    EXPECT_EQ(value, 42);
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 10; ++i) crew.push_back(weft::spawn(work));
  std::thread outside(work);
  for (auto& each : crew) each.join();
  outside.join();
  work();
  EXPECT_EQ(calls, 1);
}

WEFT_TEST(call_once, lets_the_next_try_after_a_call_that_threw) {
  const weft::pin_guard stay;
  weft::once_flag flag;
  weft::event go;
  int failures = 0, successes = 0;
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) {
    crew.push_back(begin_here([&, i] {
      try {
        weft::call_once(flag, [&, i] {
          go.wait();
          if (i < 2) throw std::runtime_error("not yet");
          ++successes;
        });
      } catch (const std::runtime_error&) {
        ++failures;
      }
    }));
  }
  go.set();
  for (auto& each : crew) each.join();
  EXPECT_EQ(failures, 2);
  EXPECT_EQ(successes, 1);
}

WEFT_TEST(call_once, a_cancelled_call_is_made_by_the_next) {
  const weft::pin_guard stay;
  weft::once_flag flag;
  weft::event never;
  bool is_done = false;
  auto first = begin_here([&] { weft::call_once(flag, [&] { never.wait(); }); });
  auto gives_up = begin_here([&] { weft::call_once(flag, [] {}); });
  auto second = begin_here([&] { weft::call_once(flag, [&] { is_done = true; }); });
  gives_up.cancel();
  EXPECT_TRUE(ended_cancelled(gives_up));
  first.cancel();
  EXPECT_TRUE(ended_cancelled(first));
  second.join();
  EXPECT_TRUE(is_done);
}

WEFT_TEST(call_once, refuses_a_call_from_within_itself) {
  weft::once_flag flag;
  EXPECT_EQ(error_of([&] { weft::call_once(flag, [&] { weft::call_once(flag, [] {}); }); }),
            std::errc::resource_deadlock_would_occur);
  bool is_done = false;
  weft::call_once(flag, [&] { is_done = true; });
  EXPECT_TRUE(is_done);
}

WEFT_TEST(call_once, waits_where_fibers_of_one_core_meet) {
  const weft::pin_guard stay;
  weft::once_flag flag;
  weft::event go;
  int calls = 0;
  const auto work = [&] {
    weft::call_once(flag, [&] {
      ++calls;
      go.wait();
    });
  };
  auto first = begin_here(work);
  auto second = begin_here(work);
  EXPECT_FALSE(second.done());
  go.set();
  first.join();
  second.join();
  EXPECT_EQ(calls, 1);
}

TEST(once_flag, destroyed_during_the_call_ends_the_program) {
  EXPECT_END(weft::run([] {
               std::optional<weft::once_flag> flag(std::in_place);
               weft::call_once(*flag, [&] { flag.reset(); });
             }),
             "once_flag is destroyed while a call is under way");
}
