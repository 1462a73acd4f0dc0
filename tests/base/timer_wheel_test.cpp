#include "base/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/random.h"
#include "support/seed.h"

namespace {

using weft::detail::intrusive_list;
using weft::detail::never;
using weft::detail::random_source;
using weft::detail::timer_node;
using weft::detail::timer_wheel;
using timer_list = intrusive_list<timer_node>;

constexpr std::size_t all = 1'000'000'000;
constexpr std::int64_t tick = 65'536;

struct alarm : timer_node {
  explicit alarm(std::int64_t when) { deadline = when; }
};

// Goes on where one call stops short of its work.
std::vector<std::int64_t> expire_all(timer_wheel& wheel, std::int64_t now) {
  std::vector<std::int64_t> deadlines;
  do {
    timer_list due;
    wheel.expire(now, due, all);
    while (const timer_node* timer = due.pop_front()) deadlines.push_back(timer->deadline);
  } while (!wheel.empty() && wheel.next_deadline() <= now);
  return deadlines;
}

TEST(timer_wheel, has_no_deadline_when_empty) {
  timer_wheel wheel(12'345);
  timer_list due;

  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_EQ(wheel.expire(never, due, all), 0U);
  EXPECT_EQ(wheel.next_deadline(), never);
}

TEST(timer_wheel, fires_at_the_nanosecond_and_not_before) {
  for (const std::int64_t delay : {std::int64_t{1}, std::int64_t{100}, tick - 1, tick, tick + 1, 64 * tick, 65 * tick,
                                   4096 * tick, 4097 * tick - 1, std::int64_t{3'600'000'000'000}}) {
    timer_wheel wheel(1'000'000);
    alarm timer(1'000'000 + delay);

    wheel.insert(timer);

    EXPECT_EQ(wheel.next_deadline(), timer.deadline);
    EXPECT_EQ(expire_all(wheel, timer.deadline - 1).size(), 0U) << delay;
    EXPECT_EQ(wheel.next_deadline(), timer.deadline);
    EXPECT_EQ(expire_all(wheel, timer.deadline).size(), 1U) << delay;
    EXPECT_TRUE(wheel.empty());
  }
}

TEST(timer_wheel, is_exact_among_timers_of_one_tick) {
  timer_wheel wheel(0);
  std::deque<alarm> timers;
  for (const std::int64_t when : {500, 100, 300, 100}) wheel.insert(timers.emplace_back(10 * tick + when));

  EXPECT_EQ(wheel.next_deadline(), 10 * tick + 100);
  EXPECT_EQ(expire_all(wheel, 10 * tick + 299), (std::vector{10 * tick + 100, 10 * tick + 100}));
  EXPECT_EQ(wheel.next_deadline(), 10 * tick + 300);
  EXPECT_EQ(expire_all(wheel, 10 * tick + 300), std::vector{10 * tick + 300});
  EXPECT_EQ(expire_all(wheel, 10 * tick + 499), std::vector<std::int64_t>{});
  EXPECT_EQ(expire_all(wheel, 11 * tick), std::vector{10 * tick + 500});
}

TEST(timer_wheel, takes_deadlines_that_have_passed) {
  timer_wheel wheel(1000 * tick);
  alarm past(5), zero(0), present(1000 * tick);
  for (alarm* each : {&past, &zero, &present}) wheel.insert(*each);

  EXPECT_EQ(wheel.next_deadline(), 0);
  EXPECT_EQ(expire_all(wheel, 1000 * tick).size(), 3U);
}

TEST(timer_wheel, holds_the_farthest_deadlines) {
  timer_wheel wheel(0);
  alarm farthest(never - 1), near(tick * 3);
  wheel.insert(farthest);
  wheel.insert(near);

  EXPECT_EQ(expire_all(wheel, never - 2), std::vector{tick * 3});
  EXPECT_EQ(wheel.next_deadline(), never - 1);
  EXPECT_EQ(expire_all(wheel, never - 1), std::vector{never - 1});
}

TEST(timer_wheel, forgets_a_removed_timer) {
  timer_wheel wheel(0);
  alarm first(50 * tick), second(5000 * tick + 7);
  wheel.insert(first);
  wheel.insert(second);

  EXPECT_TRUE(wheel.remove(first));

  EXPECT_FALSE(first.linked());
  EXPECT_FALSE(wheel.remove(first));
  EXPECT_EQ(wheel.next_deadline(), second.deadline);
  EXPECT_TRUE(wheel.remove(second));
  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(wheel.next_deadline(), never);
}

TEST(timer_wheel, expires_no_more_than_asked_and_keeps_the_rest) {
  timer_wheel wheel(0);
  std::deque<alarm> timers;
  for (int i = 0; i < 100; ++i) wheel.insert(timers.emplace_back(tick + i % 10));
  timer_list due;

  EXPECT_EQ(wheel.expire(2 * tick, due, 30), 30U);
  EXPECT_LE(wheel.next_deadline(), 2 * tick);
  EXPECT_EQ(wheel.expire(2 * tick, due, 100), 70U);

  EXPECT_TRUE(wheel.empty());
  while (due.pop_front() != nullptr) {
  }
}

TEST(timer_wheel, lets_go_of_a_timer_that_is_already_due) {
  timer_wheel wheel(0);
  alarm a(tick), b(tick), later(9 * tick);
  for (alarm* each : {&a, &b, &later}) wheel.insert(*each);
  timer_list due;
  ASSERT_EQ(wheel.expire(2 * tick, due, all), 2U);

  EXPECT_TRUE(wheel.remove(b));

  EXPECT_EQ(due.pop_front(), &a);
  EXPECT_TRUE(due.empty());
  EXPECT_EQ(wheel.next_deadline(), 9 * tick);
  wheel.remove(later);
}

// Thousands of timers in one far slot come down in pieces, so that no call takes long; none may be late or
// lost.
TEST(timer_wheel, spreads_a_crowded_slot_over_several_calls) {
  timer_wheel wheel(0);
  constexpr std::int64_t base = 64 * 64 * 64 * tick;
  std::deque<alarm> timers;
  for (int i = 0; i < 5000; ++i) wheel.insert(timers.emplace_back(base + i));
  alarm before(base - 1), after(base + 4096 * tick);
  wheel.insert(before);
  wheel.insert(after);
  ASSERT_EQ(expire_all(wheel, base - 1), std::vector{base - 1});

  timer_list due;
  int calls = 0;
  std::size_t expired = 0;
  for (; wheel.next_deadline() <= base + 2499; ++calls) expired += wheel.expire(base + 2499, due, all);

  EXPECT_EQ(expired, 2500U);
  EXPECT_GT(calls, 5);
  EXPECT_EQ(wheel.next_deadline(), base + 2500);
  while (timer_node* timer = due.pop_front()) EXPECT_LT(timer->deadline, base + 2500);
  EXPECT_EQ(expire_all(wheel, base + 5000).size(), 2500U);
  wheel.remove(after);
}

TEST(timer_wheel, stops_pointing_at_a_crowd_that_was_removed) {
  timer_wheel wheel(0);
  std::deque<alarm> timers;
  for (int i = 0; i < 1000; ++i) wheel.insert(timers.emplace_back(70 * tick + i));
  alarm first(70 * tick - 1), later(900 * tick);
  wheel.insert(first);
  wheel.insert(later);
  wheel.remove(first);
  EXPECT_LE(wheel.next_deadline(), 70 * tick);

  for (alarm& each : timers) wheel.remove(each);

  EXPECT_EQ(wheel.next_deadline(), 900 * tick);
  wheel.remove(later);
}

TEST(timer_wheel, never_names_a_moment_after_the_earliest_deadline_even_half_spread) {
  timer_wheel wheel(0);
  constexpr std::int64_t base = 64 * 64 * tick;
  std::deque<alarm> timers;
  for (int i = 0; i < 1000; ++i) wheel.insert(timers.emplace_back(base + i * tick));
  alarm first(base - 1), past(base / 2);
  wheel.insert(first);
  wheel.remove(first);
  wheel.next_deadline();
  timer_list due;
  wheel.expire(base, due, all);

  wheel.insert(past);

  EXPECT_LE(wheel.next_deadline(), past.deadline);
  EXPECT_EQ(expire_all(wheel, base + 1000 * tick).size(), 1001U);
}

TEST(timer_wheel, survives_removal_and_insertion_while_a_slot_is_half_spread) {
  timer_wheel wheel(0);
  constexpr std::int64_t base = 64 * 64 * tick;
  std::deque<alarm> timers;
  for (int i = 0; i < 1000; ++i) wheel.insert(timers.emplace_back(base + i * tick));
  timer_list due;
  wheel.expire(base, due, all);
  alarm early(base + 1);
  wheel.insert(early);

  for (alarm& each : timers) wheel.remove(each);

  EXPECT_TRUE(due.empty());
  EXPECT_EQ(wheel.next_deadline(), base + 1);
  EXPECT_EQ(expire_all(wheel, base + 1000 * tick), std::vector{base + 1});
  EXPECT_TRUE(wheel.empty());
}

TEST(timer_wheel, bears_a_clock_reading_that_is_a_little_old) {
  timer_wheel wheel(0);
  alarm later(100 * tick);
  wheel.insert(later);
  expire_all(wheel, 50 * tick);
  alarm past(40 * tick);
  wheel.insert(past);

  EXPECT_EQ(expire_all(wheel, 39 * tick).size(), 0U);
  EXPECT_EQ(expire_all(wheel, 45 * tick), std::vector{40 * tick});
  wheel.remove(later);
}

// The wheel against a sorted map, over spans from nanoseconds to centuries.
class model {
 public:
  explicit model(std::uint64_t seed) : random_(seed), wheel_(start(random_)), now_(start_) {}
  ~model() {
    for (auto& [when, timer] : expected_) wheel_.remove(*timer);
  }

  void insert() {
    const std::int64_t delay = span();
    const std::int64_t when = delay >= never - now_ ? never - 1 : now_ + delay;
    auto timer = std::make_unique<alarm>(random_.below(50) == 0 ? now_ / 2 : when);
    wheel_.insert(*timer);
    const std::int64_t key = timer->deadline;
    expected_.emplace(key, std::move(timer));
    most_ = std::max(most_, expected_.size());
  }

  void remove() {
    if (expected_.empty()) return;
    auto victim =
        random_.below(2) == 0 ? expected_.begin() : expected_.lower_bound(now_ + std::min(span(), never - now_));
    if (victim == expected_.end()) victim = expected_.begin();
    ASSERT_TRUE(wheel_.remove(*victim->second));
    expected_.erase(victim);
  }

  void advance() {
    const std::int64_t step = span();
    now_ = step >= never - now_ ? never - 2 : now_ + step;
    if (random_.below(3) == 0 && !expected_.empty()) now_ = std::max(now_, expected_.begin()->first);
    const std::size_t limit = random_.below(4) == 0 ? 1 + random_.below(8) : all;
    for (bool more = true; more;) {
      timer_list due;
      const std::size_t count = wheel_.expire(now_, due, limit);
      ASSERT_LE(count, limit);
      if (random_.below(4) == 0 && !due.empty()) take_back(*due.back());
      while (timer_node* timer = due.pop_front()) erase_due(*timer);
      more = !wheel_.empty() && wheel_.next_deadline() <= now_;
    }
    if (!expected_.empty()) {
      ASSERT_GT(expected_.begin()->first, now_) << "a timer is late";
    }
  }

  void check_next() {
    ASSERT_EQ(wheel_.empty(), expected_.empty());
    const std::int64_t next = wheel_.next_deadline();
    if (expected_.empty()) {
      ASSERT_EQ(next, never);
    } else {
      ASSERT_LE(next, expected_.begin()->first);
      // It has always looked at all of them. A bound from when they were many may still stand after removals.
      const bool always_few = most_ <= 16;
      ASSERT_TRUE(!always_few || next == expected_.begin()->first) << next;
    }
  }

  std::size_t size() const { return expected_.size(); }

 private:
  std::int64_t start(random_source& random) {
    return start_ = static_cast<std::int64_t>(random.next() >> (1 + random.below(63)));
  }
  std::int64_t span() { return static_cast<std::int64_t>(random_.next() >> (1 + random_.below(63))); }

  void take_back(timer_node& timer) {
    const std::int64_t when = timer.deadline;
    ASSERT_TRUE(wheel_.remove(timer));
    ASSERT_LE(when, now_);
    wheel_.insert(timer);
  }

  void erase_due(timer_node& timer) {
    ASSERT_LE(timer.deadline, now_) << "a timer is early";
    auto [at, end] = expected_.equal_range(timer.deadline);
    while (at != end && at->second.get() != &timer) ++at;
    ASSERT_NE(at, end) << "a timer fired twice";
    expected_.erase(at);
  }

  random_source random_;
  std::int64_t start_ = 0;
  timer_wheel wheel_;
  std::int64_t now_;
  std::multimap<std::int64_t, std::unique_ptr<alarm>> expected_;
  std::size_t most_ = 0;
};

TEST(timer_wheel, agrees_with_a_sorted_map_over_huge_spans) {
  const std::uint64_t base = weft_test::fresh_seed();
  for (std::uint64_t seed = base; seed < base + 150; ++seed) {
    SCOPED_TRACE(weft_test::seed_text(seed));
    model checked(seed);
    random_source choice(~seed);
    const std::uint32_t crowd = choice.below(3) == 0 ? 2000 : 12;
    for (int step = 0; step < 600; ++step) {
      const std::uint32_t what = choice.below(10);
      if (what < 5 && checked.size() < crowd) {
        for (std::uint32_t n = crowd > 100 ? 40 : 1; n != 0; --n) checked.insert();
      } else if (what < 8) {
        checked.remove();
      } else {
        checked.advance();
      }
      checked.check_next();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
