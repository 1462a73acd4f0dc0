// Data under its lock.
#include "support/waiting.h"

#include <string>

using namespace weft_test;

WEFT_TEST(guarded, lets_one_at_a_time_at_its_data) {
  weft::guarded<std::size_t> count(0u);
  const std::size_t rounds = repeated(300, 50);
  const auto work = [&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      if (i % 2 == 0) {
        count.with([](std::size_t& n) { ++n; });
      } else {
        ++*count.lock();
      }
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) crew.push_back(weft::spawn(work));
  std::thread outside(work);
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_EQ(count.with([](const std::size_t& n) -> const std::size_t& { return n; }), 5 * rounds);
}

WEFT_TEST(guarded, gives_an_empty_pointer_where_a_try_fails) {
  weft::guarded<std::string> name("weft");
  auto held = name.lock();
  ASSERT_TRUE(held);
  EXPECT_EQ(held->size(), 4u);
  weft::spawn([&] {
    EXPECT_FALSE(name.try_lock());
    EXPECT_FALSE(name.try_lock_for(1ms));
  }).join();
  held->append("!");
  held.guard().unlock();
  EXPECT_EQ(*name.try_lock_for(1ms), "weft!");
}

WEFT_TEST(guarded, with_a_shared_mutex_lets_readers_in_together) {
  weft::guarded<int, weft::shared_mutex> value(1);
  const auto first = value.read();
  static_assert(std::is_same_v<decltype(*first), const int&>);
  EXPECT_EQ(weft::spawn([&] { return value.read([](const int& v) { return v; }); }).join(), 1);
  EXPECT_FALSE(weft::spawn([&] { return static_cast<bool>(value.try_lock()); }).join());
}

WEFT_TEST(guarded, works_with_a_condition_variable) {
  weft::guarded<int> jobs;
  weft::condition_variable changed;
  auto consumer = weft::spawn([&] {
    auto hold = jobs.lock();
    changed.wait(hold.guard(), [&] { return *hold > 0; });
    --*hold;
  });
  weft::this_fiber::yield();
  jobs.with([](int& n) { ++n; });
  changed.notify_one();
  consumer.join();
  EXPECT_EQ(*jobs.lock(), 0);
}

WEFT_TEST(guarded, unlocks_when_the_function_throws) {
  weft::guarded<int> value(1);
  EXPECT_THROW(value.with([](int&) { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_TRUE(value.try_lock());
}
