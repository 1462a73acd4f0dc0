// The mutex that its owner may lock again.
#include "support/waiting.h"

#include <memory>
#include <mutex>

using namespace weft_test;

static_assert(std::is_same_v<weft::timed_mutex, weft::mutex>, "a weft::mutex has deadlines already");

WEFT_TEST(recursive_mutex, is_free_after_as_many_unlocks_as_locks) {
  weft::recursive_mutex gate;
  const auto is_free = [&] {
    return weft::spawn([&] {
             const bool got = gate.try_lock();
             if (got) gate.unlock();
             return got;
           })
        .join();
  };
  {
    const std::scoped_lock first(gate);
    const std::unique_lock second(gate, std::try_to_lock);
    EXPECT_TRUE(second.owns_lock());
    EXPECT_TRUE(gate.try_lock_for(-1h));
    gate.unlock();
    EXPECT_FALSE(is_free());
  }
  EXPECT_TRUE(is_free());
}

WEFT_TEST(recursive_mutex, excludes_fibers_and_plain_threads) {
  weft::recursive_mutex gate;
  std::size_t count = 0;
  const std::size_t rounds = repeated(500, 100);
  const auto work = [&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      const std::lock_guard outer(gate);
      const std::lock_guard inner(gate);
      ++count;
      if (i % 64 == 0) weft::this_fiber::yield();
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 5; ++i) crew.push_back(weft::spawn(work));
  std::thread outside(work);
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_EQ(count, 6 * rounds);
}

WEFT_TEST(recursive_mutex, gives_up_at_the_deadline_and_when_cancelled) {
  const weft::pin_guard stay;
  weft::recursive_mutex gate;
  const std::lock_guard hold(gate);
  EXPECT_FALSE(weft::spawn([&] { return gate.try_lock_for(1ms); }).join());
  auto cancelled = begin_here([&] { gate.lock(); });
  cancelled.cancel();
  EXPECT_TRUE(ended_cancelled(cancelled));
}

WEFT_TEST(recursive_mutex, refuses_misuse) {
  weft::recursive_mutex gate;
  EXPECT_EQ(error_of([&] { gate.unlock(); }), std::errc::operation_not_permitted);
  gate.lock();
  EXPECT_EQ(error_of([&] { weft::spawn([&] { gate.unlock(); }).join(); }), std::errc::operation_not_permitted);
  gate.unlock();
}

WEFT_TEST(recursive_mutex, may_be_destroyed_by_its_next_owner) {
  for (std::size_t i = 0; i < repeated(500, 100); ++i) {
    auto gate = std::make_unique<weft::recursive_mutex>();
    gate->lock();
    auto last = weft::spawn([&gate] {
      gate->lock();
      gate->unlock();
      gate.reset();
    });
    if (i % 2 == 0) weft::this_fiber::yield();
    gate->unlock();
    last.join();
  }
}

TEST(recursive_mutex, destroyed_while_locked_ends_the_program) {
  EXPECT_END(
      {
        weft::recursive_mutex gate;
        gate.lock();
      },
      "mutex is destroyed while it is locked");
}
