// Several calls at once: results in order, errors, limits.
#include "support/with_cores.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

int fibonacci(int n) {
  if (n < 2) return n;
  const auto [left, right] = weft::gather([n] { return fibonacci(n - 1); }, [n] { return fibonacci(n - 2); });
  return left + right;
}

}  // namespace

WEFT_TEST(gather, returns_all_results_in_order) {
  int target = 0;
  const auto results =
      weft::gather([] { return 1; }, [] {}, [] { return std::make_unique<int>(3); }, [&]() -> int& { return target; });
  EXPECT_EQ(std::get<0>(results), 1);
  EXPECT_EQ(std::get<1>(results), std::monostate());
  EXPECT_EQ(*std::get<2>(results), 3);
  EXPECT_EQ(&std::get<3>(results), &target);
  EXPECT_EQ(weft::gather(), std::tuple<>());
}

WEFT_TEST(gather, forks_and_joins_recursively) { EXPECT_EQ(fibonacci(12), 144); }

WEFT_TEST(gather, of_a_range_returns_a_vector) {
  std::vector<std::function<std::string()>> calls;
  for (int i = 0; i < 50; ++i) calls.emplace_back([i] { return std::to_string(i); });
  const std::vector<std::string> results = weft::gather(calls);
  ASSERT_EQ(results.size(), 50u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_TRUE(weft::gather(std::vector<std::function<int()>>()).empty());
}

// Where the type of the range tells how many there are, so does that of the results; they need not be copied or made empty.
WEFT_TEST(gather, of_an_array_returns_an_array) {
  struct number {
    explicit number(int n) : value(std::make_unique<int>(n)) {}
    std::unique_ptr<int> value;
  };
  struct call {
    int n;
    number operator()() const { return number(n); }
  };
  const std::array calls{call{1}, call{2}, call{3}};
  std::array<number, 3> results = weft::gather(calls);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*results[static_cast<std::size_t>(i)].value, i + 1);
  call plain[2]{{4}, {5}};
  EXPECT_EQ(*weft::gather(plain)[1].value, 5);
  EXPECT_EQ(*weft::gather(std::span(calls).first<2>()).back().value, 2);
  EXPECT_EQ(weft::gather(std::span(calls.data(), 2)).size(), 2u);
  std::array<call, 50> many{};
  for (call& each : many) each.n = static_cast<int>(&each - many.data());
  const std::array<number, 50> of_many = weft::gather(many);
  EXPECT_EQ(*of_many.back().value, 49);
  EXPECT_TRUE(weft::gather(std::array<call, 0>()).empty());
}

WEFT_TEST(gather, of_an_array_whose_second_call_throws) {
  std::atomic<int> others{0};
  std::array<std::function<int()>, 3> calls;
  for (auto& each : calls) each = [&others] { return ++others; };
  calls[1] = []() -> int { throw std::domain_error("second"); };
  EXPECT_THROW(static_cast<void>(weft::gather(calls)), std::domain_error);
  EXPECT_LE(others.load(), 2);
}

// Everything of the caller's range runs before anything is forked.
WEFT_TEST(gather, of_a_range_that_waits_and_throws_while_it_is_iterated) {
  const std::vector<std::function<int()>> calls(20, [] {
    weft::this_fiber::yield();
    return 1;
  });
  int steps = 0;
  bool throws = false;
  const auto pausing =
      calls | std::views::transform([&](const std::function<int()>& each) -> const std::function<int()>& {
        weft::this_fiber::yield();
        if (++steps > 10 && throws) throw std::domain_error("in the middle");
        return each;
      });
  EXPECT_EQ(weft::gather(pausing).size(), 20u);
  EXPECT_EQ(steps, 20);
  throws = true;
  steps = 0;
  EXPECT_THROW(weft::gather(pausing), std::domain_error);
  weft::gather(calls);
}

WEFT_TEST(gather, throws_the_error_and_destroys_the_other_results) {
  const auto kept = std::make_shared<int>(1);
  EXPECT_THROW(weft::gather([&] { return kept; }, []() -> int { throw std::domain_error("one"); }), std::domain_error);
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_THROW(weft::gather(sleep_for_ever, [] { throw std::domain_error("cancels the other"); }), std::domain_error);
}

WEFT_TEST(gather, under_a_timeout_ends_with_it) {
  EXPECT_THROW(weft::with_timeout(1ms, [] { weft::gather(sleep_for_ever, sleep_for_ever); }), weft::timed_out);
}

// --- map -----------------------------------------------------------------------------------------------------------------

TEST(gather, outside_of_fibers_is_refused_by_name) {
  try {
    weft::gather([] { return 1; }, [] { return 2; });
    ADD_FAILURE() << "ran where there is no fiber";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::operation_not_permitted);
    EXPECT_NE(std::string(error.what()).find("weft::gather: called outside a fiber"), std::string::npos);
  }
}

// Every child waits for all of them, so each needs a stack of its own at once.
TEST(gather, says_so_where_a_child_gets_no_stack) {
  weft::options wanted;
  wanted.cores = 1;
  wanted.max_stacks = 8;
  weft::run(wanted, [] {
    weft::latch all(100);
    std::vector<std::function<void()>> children(100, [&] { all.arrive_and_wait(); });
    try {
      weft::gather(children);
      ADD_FAILURE() << "a hundred fibers wait on eight stacks";
    } catch (const weft::scope_errors& errors) {
      EXPECT_FALSE(errors.errors().empty());
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::not_enough_memory) << error.what();
      EXPECT_NE(std::string(error.what()).find("no stack for a child"), std::string::npos) << error.what();
    }
    EXPECT_EQ(weft::spawn([] { return 1; }).join(), 1);
  });
}

WEFT_TEST(map, keeps_order_and_limit) {
  std::vector<int> inputs(100);
  for (int i = 0; i < 100; ++i) inputs[static_cast<std::size_t>(i)] = i;
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  const auto squares = weft::map(
      inputs,
      [&](int i) {
        const int now = ++running;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        weft::this_fiber::yield();
        --running;
        return i * i;
      },
      4);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(squares[static_cast<std::size_t>(i)], i * i);
  EXPECT_LE(most, 4);
}

WEFT_TEST(map, may_change_its_inputs_and_return_nothing) {
  std::vector<int> numbers{1, 2, 3};
  weft::map(
      numbers, [](int& n) { n *= 10; }, 2);
  EXPECT_EQ(numbers, (std::vector<int>{10, 20, 30}));
}

WEFT_TEST(map, refuses_to_run_nothing_at_once) {
  EXPECT_THROW(weft::map(
                   std::vector<int>{1}, [](int) {}, 0),
               std::invalid_argument);
  EXPECT_TRUE(weft::map(
                  std::vector<int>{}, [](int i) { return i; }, 3)
                  .empty());
}

WEFT_TEST(map, stops_at_the_first_error) {
  std::atomic<int> called{0};
  const std::vector<int> inputs(10'000, 1);
  EXPECT_THROW(weft::map(
                   inputs,
                   [&](int) {
                     const int mine = ++called;
                     if (mine == 10) throw std::domain_error("ten");
                     if (mine > 10) sleep_for_ever();
                   },
                   2),
               std::domain_error);
  EXPECT_LE(called, 11);
}

// --- race ----------------------------------------------------------------------------------------------------------------

WEFT_TEST(race, is_won_by_the_first_to_end) {
  const auto won = weft::race(
      sleep_for_ever, [] { return std::string("quick"); },
      [] {
        sleep_for_ever();
        return 5;
      });
  ASSERT_EQ(won.index(), 1u);
  EXPECT_EQ(std::get<1>(won), "quick");
}

WEFT_TEST(race, may_be_won_by_an_error) {
  EXPECT_THROW(weft::race(sleep_for_ever, [] { throw std::domain_error("first"); }), std::domain_error);
}

WEFT_TEST(race, under_a_timeout_ends_with_it) {
  EXPECT_THROW(weft::with_timeout(1ms, [] { weft::race(sleep_for_ever, sleep_for_ever); }), weft::timed_out);
}
