// Edge cases of waiting for several fibers: what has ended before, errors and cancellation among them, deadlines that
// have passed, ranges that are left half way.
#include "support/waiting.h"

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>

using namespace weft_test;

namespace {

using places = std::vector<std::size_t>;
using weft::wait_for;

// Fibers that wait until they are let go one by one, and end with their number, or with an error where it is negative.
struct crew {
  std::vector<std::unique_ptr<weft::event>> gates;
  std::vector<weft::fiber<int>> fibers;

  explicit crew(std::vector<int> numbers) {
    for (const int number : numbers) {
      gates.push_back(std::make_unique<weft::event>());
      fibers.push_back(weft::spawn([gate = gates.back().get(), number] {
        gate->wait();
        if (number < 0) throw std::domain_error(std::to_string(number));
        return number;
      }));
    }
  }
  void let_end(std::size_t place) {
    gates[place]->set();
    EXPECT_TRUE(yield_until([&] { return fibers[place].done(); }));
  }
  void end_all() {
    for (auto& each : gates) each->set();
  }
};

}  // namespace

// --- wait ------------------------------------------------------------------------------------------------------------------

WEFT_TEST(wait_edges, what_has_ended_before_counts_at_once) {
  crew some({1, 2, 3});
  some.let_end(1);
  EXPECT_EQ(weft::wait(some.fibers, wait_for::first_completed).done, places{1});
  some.let_end(0);
  EXPECT_EQ(weft::wait(some.fibers, wait_for::first_completed).done, (places{0, 1}));
  some.let_end(2);
  for (const auto until : {wait_for::first_completed, wait_for::first_exception, wait_for::all_completed}) {
    const auto [done, pending] = weft::wait(some.fibers, until);
    EXPECT_EQ(done, (places{0, 1, 2}));
    EXPECT_TRUE(pending.empty());
  }
}

WEFT_TEST(wait_edges, an_error_that_came_before_counts_at_once) {
  crew some({1, -2, 3});
  some.let_end(1);
  EXPECT_EQ(weft::wait(some.fibers, wait_for::first_exception).done, places{1});
  EXPECT_THROW(some.fibers[1].join(), std::domain_error);
  some.end_all();
}

WEFT_TEST(wait_edges, for_an_error_that_does_not_come_waits_for_all) {
  crew some({1, 2, 3});
  some.end_all();
  EXPECT_EQ(weft::wait(some.fibers, wait_for::first_exception).done, (places{0, 1, 2}));
}

WEFT_TEST(wait_edges, a_cancelled_fiber_has_not_thrown) {
  crew some({1, 2});
  some.fibers[0].cancel();
  ASSERT_TRUE(yield_until([&] { return some.fibers[0].done(); }));
  const auto [done, pending] = weft::wait(some.fibers, wait_for::first_exception, 1ms);
  EXPECT_EQ(done, places{0});
  EXPECT_EQ(pending, places{1});
  EXPECT_TRUE(ended_cancelled(some.fibers[0]));
  some.end_all();
}

WEFT_TEST(wait_edges, a_fiber_that_never_started_counts_as_ended_once_it_is_cancelled) {
  std::vector<weft::fiber<void>> crowd;
  for (int i = 0; i < 10; ++i) crowd.push_back(weft::spawn([] { weft::this_fiber::sleep_for(1h); }));
  for (auto& each : crowd) each.cancel();
  EXPECT_EQ(weft::wait(crowd).done.size(), 10u);
  for (auto& each : crowd) EXPECT_TRUE(ended_cancelled(each));
}

WEFT_TEST(wait_edges, giving_up_cancels_nobody) {
  crew some({1, 2});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(weft::wait(some.fibers, wait_for::all_completed, 200us).pending.size(), 2u);
  some.end_all();
  EXPECT_EQ(some.fibers[0].join() + some.fibers[1].join(), 3);
}

WEFT_TEST(wait_edges, a_cancelled_waiter_leaves_fibers_and_handles_and_they_can_be_waited_for_again) {
  crew some({1, 2});
  const weft::pin_guard stay;
  for (int i = 0; i < 5; ++i) {
    auto waiter = begin_here([&] { weft::wait(some.fibers); });
    waiter.cancel();
    EXPECT_TRUE(ended_cancelled(waiter));
  }
  some.end_all();
  EXPECT_EQ(weft::wait(some.fibers).done.size(), 2u);
}

WEFT_TEST(wait_edges, for_oneself_is_an_error) {
  std::vector<weft::fiber<void>> crowd;
  std::atomic<bool> is_stored{false};
  std::error_code by_wait, by_range;
  crowd.push_back(weft::spawn([&] {
    yield_until([&] { return is_stored.load(); });
    by_wait = error_of([&] { weft::wait(crowd); });
    by_range = error_of([&] { weft::as_completed(crowd); });
  }));
  is_stored = true;
  ASSERT_TRUE(yield_until([&] { return crowd[0].done(); }));
  EXPECT_EQ(by_wait, std::errc::resource_deadlock_would_occur);
  EXPECT_EQ(by_range, std::errc::resource_deadlock_would_occur);
}

WEFT_TEST(wait_edges, several_may_wait_for_the_same_fibers) {
  crew some({1, 2, 3});
  std::vector<weft::fiber<std::size_t>> waiters;
  for (int i = 0; i < 8; ++i) {
    waiters.push_back(weft::spawn([&some, i] {
      const auto until = i % 2 == 0 ? wait_for::first_completed : wait_for::all_completed;
      return weft::wait(some.fibers, until).done.size();
    }));
  }
  for (int i = 0; i < 20; ++i) weft::this_fiber::yield();
  some.let_end(1);
  for (std::size_t i = 0; i < waiters.size(); i += 2) EXPECT_GE(waiters[i].join(), 1u);
  some.end_all();
  for (std::size_t i = 1; i < waiters.size(); i += 2) EXPECT_EQ(waiters[i].join(), 3u);
}

// --- as_completed ----------------------------------------------------------------------------------------------------------

WEFT_TEST(as_completed_edges, of_nobody_ends_at_once) {
  std::vector<weft::fiber<int>> nobody;
  for ([[maybe_unused]] auto& each : weft::as_completed(nobody)) ADD_FAILURE();
}

WEFT_TEST(as_completed_edges, yields_what_had_ended_before_in_the_order_of_the_range) {
  crew some({0, 1, 2, 3});
  for (const std::size_t place : {3u, 0u, 2u, 1u}) some.let_end(place);
  std::string order;
  for (auto& each : weft::as_completed(some.fibers)) order += std::to_string(each.join());
  EXPECT_EQ(order, "0123");
}

WEFT_TEST(as_completed_edges, with_no_time_yields_only_what_has_ended) {
  crew some({0, 1, 2});
  some.let_end(1);
  auto view = weft::as_completed(some.fibers, 0s);
  std::string order;
  for (auto& each : view) order += std::to_string(each.join());
  EXPECT_EQ(order, "1");
  EXPECT_EQ(view.pending(), (std::vector{&some.fibers[0], &some.fibers[2]}));
  some.end_all();
}

WEFT_TEST(as_completed_edges, errors_and_cancellation_do_not_end_the_range) {
  crew some({0, -1, 2, 3});
  some.fibers[3].cancel();
  some.end_all();
  int values = 0, errors = 0, cancelled = 0;
  for (auto& each : weft::as_completed(some.fibers)) {
    EXPECT_TRUE(each.done());
    try {
      each.join();
      ++values;
    } catch (const std::domain_error&) {
      ++errors;
    } catch (const weft::join_cancelled&) {
      ++cancelled;
    }
  }
  EXPECT_EQ(values + cancelled, 3) << "one may have ended before it was cancelled";
  EXPECT_EQ(errors, 1);
}

WEFT_TEST(as_completed_edges, left_half_way_loses_no_fiber) {
  crew some({0, 1, 2, 3, 4, 5});
  some.let_end(2);
  for (auto& each : weft::as_completed(some.fibers)) {
    EXPECT_EQ(each.join(), 2);
    break;
  }
  some.let_end(4);
  std::set<int> seen;
  {
    std::vector<weft::fiber<int>> left;
    for (auto& each : some.fibers) {
      if (each.joinable()) left.push_back(std::move(each));
    }
    some.end_all();
    for (auto& each : weft::as_completed(left)) seen.insert(each.join());
  }
  EXPECT_EQ(seen, (std::set<int>{0, 1, 3, 4, 5}));
}

WEFT_TEST(as_completed_edges, left_while_they_end_loses_no_fiber) {
  for (std::size_t round = 0; round < repeated(50, 10); ++round) {
    std::vector<weft::fiber<int>> crowd;
    for (int i = 0; i < 20; ++i) {
      crowd.push_back(weft::spawn([i] {
        for (int k = 0; k < i % 5; ++k) weft::this_fiber::yield();
        return 1;
      }));
    }
    int sum = 0;
    std::size_t left_after = round % 20;
    for (auto& each : weft::as_completed(crowd)) {
      sum += each.join();
      if (left_after-- == 0) break;
    }
    for (auto& each : crowd) sum += each.joinable() ? each.join() : 0;
    EXPECT_EQ(sum, 20);
  }
}

WEFT_TEST(as_completed_edges, yields_also_what_is_dropped_or_let_go_meanwhile) {
  crew some({0, 1, 2, 3});
  some.let_end(0);
  int steps = 0;
  for ([[maybe_unused]] auto& each : weft::as_completed(some.fibers)) {
    if (++steps == 1) {
      some.fibers[1] = {};
      some.fibers[2].detach();
      some.end_all();
    }
  }
  EXPECT_EQ(steps, 4);
}

WEFT_TEST(as_completed_edges, a_handle_without_a_fiber_counts_as_ended) {
  std::vector<weft::fiber<int>> crowd(3);
  crowd[1] = weft::spawn([] { return 1; });
  int steps = 0;
  for (auto& each : weft::as_completed(crowd)) {
    if (each.joinable()) {
      EXPECT_EQ(each.join(), 1);
    }
    ++steps;
  }
  EXPECT_EQ(steps, 3);
}

WEFT_TEST(as_completed_edges, a_cancelled_owner_can_go_on_where_it_was) {
  crew some({0, 1, 2});
  auto view = weft::as_completed(some.fibers);
  some.let_end(1);
  auto at = view.begin();
  EXPECT_EQ((*at).join(), 1);
  EXPECT_FALSE(weft::move_on_after(100us, [&] { ++at; }));
  EXPECT_EQ(view.pending().size(), 2u);
  some.let_end(0);
  ++at;
  EXPECT_EQ((*at).join(), 0);
  some.end_all();
  ++at;
  EXPECT_EQ((*at).join(), 2);
  ++at;
  EXPECT_EQ(at, view.end());
}

WEFT_TEST(as_completed_edges, serves_a_crowd) {
  const std::size_t count = repeated(20'000, 1'000);
  weft::event go;
  std::vector<weft::fiber<std::size_t>> crowd;
  for (std::size_t i = 0; i < count; ++i) {
    crowd.push_back(weft::spawn([i, &go] {
      go.wait();
      return i;
    }));
  }
  std::vector<bool> seen(count);
  std::size_t steps = 0;
  auto view = weft::as_completed(crowd);
  go.set();
  for (auto& each : view) {
    const std::size_t number = each.join();
    EXPECT_FALSE(seen[number]);
    seen[number] = true;
    ++steps;
  }
  EXPECT_EQ(steps, count);
}
