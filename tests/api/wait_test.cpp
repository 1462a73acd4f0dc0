// Waiting for several fibers: which, in what order, how long.
#include "support/with_cores.h"

#include <atomic>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

using places = std::vector<std::size_t>;

void end_all(std::vector<weft::fiber<void>>& crowd) {
  for (auto& each : crowd) each.cancel();
  crowd.clear();
}

}  // namespace

WEFT_TEST_EACH_REACTOR(wait, for_all_of_them) {
  std::vector<weft::fiber<int>> crowd;
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(weft::spawn([i] {
      weft::this_fiber::sleep_for(std::chrono::microseconds(i * 37 % 20));
      return i;
    }));
  }
  const auto [done, pending] = weft::wait(crowd);
  EXPECT_EQ(done.size(), 20u);
  EXPECT_TRUE(pending.empty());
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(crowd[static_cast<std::size_t>(i)].done());
    EXPECT_EQ(crowd[static_cast<std::size_t>(i)].join(), i);
  }
}

WEFT_TEST(wait, for_the_first_of_them) {
  std::vector<weft::fiber<void>> crowd;
  crowd.push_back(weft::spawn(sleep_for_ever));
  crowd.push_back(weft::spawn([] { weft::this_fiber::yield(); }));
  crowd.push_back(weft::spawn(sleep_for_ever));
  const auto [done, pending] = weft::wait(crowd, weft::wait_for::first_completed);
  EXPECT_EQ(done, places{1});
  EXPECT_EQ(pending, (places{0, 2}));
  end_all(crowd);
}

WEFT_TEST(wait, for_the_first_error_of_them) {
  std::vector<weft::fiber<void>> crowd;
  crowd.reserve(3);  // The third looks at the first while the others come.
  crowd.push_back(weft::spawn([] {}));
  crowd.push_back(weft::spawn(sleep_for_ever));
  crowd.push_back(weft::spawn([&crowd] {
    EXPECT_TRUE(yield_until([&] { return crowd[0].done(); }));
    throw std::domain_error("third");
  }));
  const auto [done, pending] = weft::wait(crowd, weft::wait_for::first_exception);
  EXPECT_EQ(done, (places{0, 2}));
  EXPECT_EQ(pending, places{1});
  EXPECT_THROW(crowd[2].join(), std::domain_error);
  end_all(crowd);
}

WEFT_TEST(wait, no_longer_than_it_may) {
  std::vector<weft::fiber<void>> crowd;
  crowd.push_back(weft::spawn(sleep_for_ever));
  for (const auto until : {weft::wait_for::first_completed, weft::wait_for::all_completed}) {
    const auto [done, pending] = weft::wait(crowd, until, 1ms);
    EXPECT_TRUE(done.empty());
    EXPECT_EQ(pending, places{0});
  }
  end_all(crowd);
  EXPECT_TRUE(weft::wait(crowd).done.empty()) << "of nobody, at once";
}

WEFT_TEST(wait, obeys_cancellation_and_leaves_the_handles) {
  std::vector<weft::fiber<void>> crowd;
  crowd.push_back(weft::spawn(sleep_for_ever));
  EXPECT_THROW(weft::with_timeout(1ms, [&] { weft::wait(crowd); }), weft::timed_out);
  EXPECT_TRUE(crowd[0].joinable());
  end_all(crowd);
}

WEFT_TEST(wait, names_a_handle_without_a_fiber) {
  std::vector<weft::fiber<void>> crowd(2);
  crowd[0] = weft::spawn([] {});
  try {
    weft::wait(crowd);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("handle 1"), std::string::npos) << error.what();
  }
}

TEST(wait, works_on_plain_threads) {
  weft::runtime here(setting{2}.options());
  std::vector<weft::fiber<int>> crowd;
  for (int i = 0; i < 10; ++i) {
    crowd.push_back(here.spawn([i] {
      weft::this_fiber::sleep_for(10us);
      return i;
    }));
  }
  EXPECT_EQ(weft::wait(crowd).done.size(), 10u);
  int sum = 0;
  for (auto& each : weft::as_completed(crowd)) sum += each.join();
  EXPECT_EQ(sum, 45);
}

// --- as_completed ----------------------------------------------------------------------------------------------------------

WEFT_TEST(as_completed, yields_each_once_as_they_end) {
  std::vector<weft::fiber<int>> crowd;
  std::atomic<int> next{4};
  for (int i = 0; i < 5; ++i) {
    crowd.push_back(weft::spawn([i, &next] {
      while (next != i) weft::this_fiber::yield();
      return i;
    }));
  }
  std::string order;
  for (auto& each : weft::as_completed(crowd)) {
    order += std::to_string(each.join());
    --next;
  }
  EXPECT_EQ(order, "43210");
}

WEFT_TEST(as_completed, ends_at_its_deadline) {
  std::vector<weft::fiber<void>> crowd;
  crowd.push_back(weft::spawn([] {}));
  crowd.push_back(weft::spawn(sleep_for_ever));
  weft::wait(crowd, weft::wait_for::first_completed);
  auto view = weft::as_completed(crowd, 2ms);
  int seen = 0;
  for (auto& each : view) {
    each.join();
    ++seen;
  }
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(view.pending().size(), 1u);
  end_all(crowd);
}
