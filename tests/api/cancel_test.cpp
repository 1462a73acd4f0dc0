// Cancelling fibers: where it ends a wait, what it leaves alone, and who is told.
#include "support/with_cores.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

using namespace weft_test;

namespace {

constexpr auto for_ever = std::chrono::hours::max();

// A fiber that waits in `wait()`, is cancelled while it does, and says what it saw.
template <class Wait>
void expect_cancelled_in(Wait wait) {
  std::atomic<bool> began{false};
  bool saw = false;
  auto f = weft::spawn({.name = "patient"}, [&] {
    try {
      began = true;
      wait();
    } catch (const weft::cancelled&) {
      saw = true;
      throw;
    }
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  // On one core it waits by now; on more it may be about to.
  for (int i = 0; i < 3; ++i) weft::this_fiber::yield();
  f.cancel();
  try {
    f.join();
    ADD_FAILURE() << "the join told nothing";
  } catch (const weft::join_cancelled& error) {
    EXPECT_EQ(error.code(), std::errc::operation_canceled);
    EXPECT_NE(std::string(error.what()).find("patient"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(saw);
}

struct sleeping_destructor {
  bool* slept;
  ~sleeping_destructor() {
    weft::this_fiber::sleep_for(1ms);
    weft::this_fiber::yield();
    *slept = true;
  }
};

}  // namespace

WEFT_TEST_EACH_REACTOR(cancel, ends_a_sleep) {
  expect_cancelled_in([] { weft::this_fiber::sleep_for(for_ever); });
  expect_cancelled_in([] { weft::this_fiber::sleep_for(1h); });
  expect_cancelled_in([] { weft::this_fiber::sleep_until(weft::deadline::never()); });
}

WEFT_TEST(cancel, ends_a_fiber_that_yields) {
  expect_cancelled_in([] {
    for (;;) weft::this_fiber::yield();
  });
}

WEFT_TEST(cancel, ends_a_join) {
  auto endless = weft::spawn([] { weft::this_fiber::sleep_for(for_ever); });
  expect_cancelled_in([&] { endless.join(); });
  EXPECT_TRUE(endless.joinable());
  expect_cancelled_in([&] { endless.join(1h); });
  EXPECT_TRUE(endless.joinable());
  endless.cancel();
  EXPECT_THROW(endless.join(), weft::join_cancelled);
}

WEFT_TEST(cancel, ends_a_wait_for_a_mutex) {
  weft::mutex gate;
  const std::lock_guard hold(gate);
  expect_cancelled_in([&] { gate.lock(); });
  expect_cancelled_in([&] { static_cast<void>(gate.try_lock_for(1h)); });
}

WEFT_TEST(cancel, ends_a_wait_for_a_condition_and_gives_the_lock_back) {
  weft::mutex gate;
  weft::condition_variable never_told;
  bool owned = false;
  expect_cancelled_in([&] {
    std::unique_lock lock(gate);
    try {
      never_told.wait(lock);
    } catch (const weft::cancelled&) {
      owned = lock.owns_lock() && !gate.try_lock();
      throw;
    }
  });
  EXPECT_TRUE(owned);
  EXPECT_TRUE(gate.try_lock());
  gate.unlock();
}

WEFT_TEST(cancel, is_sticky) {
  int thrown = 0;
  auto f = weft::spawn([&] {
    weft::mutex gate;
    weft::condition_variable condition;
    auto other = weft::spawn([] { weft::this_fiber::sleep_for(for_ever); });
    std::unique_lock lock(gate);
    const auto count = [&](auto wait) {
      try {
        wait();
      } catch (const weft::cancelled&) {
        ++thrown;
      }
    };
    for (int i = 0; i < 3; ++i) {
      count([] { weft::this_fiber::sleep_for(for_ever); });
      count([] { weft::this_fiber::sleep_for(0s); });
      count([] { weft::this_fiber::yield(); });
      count([&] { condition.wait(lock); });
      count([&] { other.join(); });
    }
  });
  for (int i = 0; i < 3; ++i) weft::this_fiber::yield();
  f.cancel();
  try {
    f.join();
    EXPECT_EQ(thrown, 15);
  } catch (const weft::join_cancelled&) {
    EXPECT_EQ(thrown, 0) << "cancelled only before its start";
  }
}

WEFT_TEST(cancel, is_no_standard_exception) {
  std::atomic<bool> began{false};
  std::string where;
  auto f = weft::spawn([&] {
    try {
      began = true;
      weft::this_fiber::sleep_for(for_ever);
    } catch (const std::exception&) {
      where = "std::exception";
    } catch (...) {
      where = "...";
      throw;
    }
  });
  yield_until([&] { return began.load(); });
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_EQ(where, "...");
}

WEFT_TEST(cancel, that_is_swallowed_lets_the_fiber_end_with_its_result) {
  std::atomic<bool> began{false};
  auto f = weft::spawn([&] {
    try {
      began = true;
      weft::this_fiber::sleep_for(for_ever);
    } catch (...) {
    }
    return 12;
  });
  yield_until([&] { return began.load(); });
  f.cancel();
  EXPECT_EQ(f.join(), 12);
  EXPECT_FALSE(f.cancelled());
}

WEFT_TEST(cancel, before_the_start_never_runs_it) {
  bool ran = false;
  auto life = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = life;
  auto f = weft::spawn({.core = weft::this_fiber::core()}, [&ran, kept = std::move(life)] { ran = true; });
  f.cancel();
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_FALSE(ran);
  EXPECT_TRUE(watch.expired());
}

WEFT_TEST(cancel, after_the_end_is_harmless) {
  auto f = weft::spawn([] { return 1; });
  yield_until([&] { return f.done(); });
  f.cancel();
  EXPECT_FALSE(f.cancelled());
  EXPECT_EQ(f.join(), 1);
}

WEFT_TEST(cancel, tells_the_handle) {
  auto f = weft::spawn([] { weft::this_fiber::sleep_for(for_ever); });
  EXPECT_FALSE(f.cancelled());
  f.cancel();
  EXPECT_TRUE(yield_until([&] { return f.done(); }));
  EXPECT_TRUE(f.cancelled());
}

WEFT_TEST(cancel, is_masked_while_the_fiber_unwinds) {
  std::atomic<bool> began{false};
  bool slept = false;
  auto f = weft::spawn([&] {
    const sleeping_destructor last{&slept};
    began = true;
    weft::this_fiber::sleep_for(for_ever);
  });
  yield_until([&] { return began.load(); });
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_TRUE(slept);
}

WEFT_TEST(cancel, that_comes_during_unwinding_waits_for_its_end) {
  struct own_error {};
  std::atomic<bool> unwinding{false};
  std::atomic<bool> go_on{false};
  bool finished = false;
  auto f = weft::spawn([&] {
    struct waiting {
      std::atomic<bool>&unwinding, &go_on;
      bool& finished;
      ~waiting() {
        unwinding = true;
        while (!go_on) weft::this_fiber::sleep_for(100us);
        finished = true;
      }
    };
    const waiting last{unwinding, go_on, finished};
    throw own_error{};
  });
  yield_until([&] { return unwinding.load(); });
  f.cancel();
  for (int i = 0; i < 20; ++i) weft::this_fiber::yield();
  EXPECT_FALSE(f.done());
  go_on = true;
  EXPECT_THROW(f.join(), own_error);
  EXPECT_TRUE(finished);
}

WEFT_TEST(cancel, passes_from_parent_to_child_by_the_handle) {
  std::atomic<int> unwound{0};
  struct counting {
    std::atomic<int>& to;
    ~counting() { ++to; }
  };
  std::atomic<bool> deep{false};
  auto f = weft::spawn([&] {
    const counting mine{unwound};
    auto child = weft::spawn([&] {
      const counting its{unwound};
      auto grandchild = weft::spawn([&] {
        const counting its_own{unwound};
        deep = true;
        weft::this_fiber::sleep_for(for_ever);
      });
      grandchild.join();
    });
    child.join();
  });
  yield_until([&] { return deep.load(); });
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_EQ(unwound, 3);
}

WEFT_TEST(cancel, comes_from_plain_threads_too) {
  std::atomic<bool> began{false};
  auto f = weft::spawn([&] {
    began = true;
    weft::this_fiber::sleep_for(for_ever);
  });
  yield_until([&] { return began.load(); });
  std::thread outside([&] { f.cancel(); });
  EXPECT_THROW(f.join(), weft::join_cancelled);
  outside.join();
}

WEFT_TEST(cancel, leaves_the_joined_fiber_alone) {
  std::atomic<bool> go{false};
  std::atomic<bool> joining{false};
  auto worker = weft::spawn([&] {
    yield_until([&] { return go.load(); });
    return 4;
  });
  auto joiner = weft::spawn([&] {
    joining = true;
    worker.join();
  });
  yield_until([&] { return joining.load(); });
  joiner.cancel();
  EXPECT_THROW(joiner.join(), weft::join_cancelled);
  go = true;
  EXPECT_EQ(worker.join(), 4);
}

WEFT_TEST(cancel, of_a_crowd_ends_all_of_it) {
  weft::mutex gate;
  weft::condition_variable never_told;
  std::atomic<std::size_t> began{0};
  std::vector<weft::fiber<void>> crowd;
  const std::size_t count = repeated(2'000, 200);
  for (std::size_t i = 0; i < count; ++i) {
    crowd.push_back(weft::spawn([&, i] {
      ++began;
      if (i % 3 == 0) weft::this_fiber::sleep_for(for_ever);
      if (i % 3 == 1) {
        for (;;) weft::this_fiber::yield();
      }
      std::unique_lock lock(gate);
      never_told.wait(lock, [] { return false; });
    }));
  }
  yield_until([&] { return began > count / 2; });
  for (auto& each : crowd) each.cancel();
  for (auto& each : crowd) EXPECT_THROW(each.join(), weft::join_cancelled);
}
