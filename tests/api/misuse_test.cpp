// What ends a program: suspending under a no_suspend guard, and destroying what is in use.
#include "support/waiting.h"

#include <memory>
#include <mutex>

using namespace weft_test;

namespace {

// Runs `body` in a named fiber, in the process of a death test.
template <class Body>
void in_named_fiber(Body body) {
  weft::run([&] { weft::spawn({.name = "careless"}, body).join(); });
}

}  // namespace

#define SKIP_UNLESS_CHECKED() \
  if (!weft::detail::suspension_is_checked()) GTEST_SKIP() << "this build does not look"

TEST(no_suspend, names_fiber_call_and_guard_of_a_wait) {
  SKIP_UNLESS_CHECKED();
  EXPECT_END(
      in_named_fiber([] {
        weft::event never;
        const weft::no_suspend hold;
        never.wait();
      }),
      "fiber [0-9]+ \"careless\" waits in weft::event::wait while it holds the no_suspend guard of .*misuse_test");
  EXPECT_END(in_named_fiber([] {
               weft::semaphore gate(0);
               const weft::no_suspend hold;
               gate.try_acquire_for(1ms);
             }),
             "waits in weft::semaphore::acquire");
  EXPECT_END(in_named_fiber([] {
               weft::mutex gate;
               weft::condition_variable told;
               std::unique_lock lock(gate);
               const weft::no_suspend hold;
               told.wait(lock);
             }),
             "waits in weft::condition_variable::wait");
}

TEST(no_suspend, notices_every_kind_of_suspension) {
  SKIP_UNLESS_CHECKED();
  EXPECT_END(in_named_fiber([] {
               const weft::no_suspend hold;
               weft::this_fiber::yield();
             }),
             "\"careless\" .*while it holds the no_suspend guard");
  EXPECT_END(in_named_fiber([] {
               const weft::no_suspend hold;
               weft::this_fiber::sleep_for(1ms);
             }),
             "\"careless\" .*while it holds the no_suspend guard");
  EXPECT_END(in_named_fiber([] {
               weft::event never;
               auto other = weft::spawn([&] { never.wait(); });
               const weft::no_suspend hold;
               other.join();
             }),
             "\"careless\" .*while it holds the no_suspend guard");
}

TEST(no_suspend, notices_a_fiber_that_ends_with_a_lock) {
  SKIP_UNLESS_CHECKED();
  EXPECT_END(
      {
        weft::checked_lock<std::mutex> lock;
        in_named_fiber([&] { lock.lock(); });
      },
      "\"careless\" .*while it holds the no_suspend guard");
}

WEFT_TEST(no_suspend, allows_what_does_not_wait) {
  weft::mutex gate;
  weft::semaphore permits(1);
  weft::event ready(true);
  {
    const weft::no_suspend outer;
    const weft::no_suspend inner;
    const std::scoped_lock hold(gate);
    permits.acquire();
    ready.wait();
    weft::spawn([] {}).detach();
  }
  weft::this_fiber::yield();
}

TEST(checked_lock, held_over_a_suspension_ends_the_program) {
  SKIP_UNLESS_CHECKED();
  EXPECT_END(in_named_fiber([] {
               weft::checked_lock<std::mutex> lock;
               weft::mutex gate;
               const std::scoped_lock taken(gate);
               const std::lock_guard hold(lock);
               weft::this_fiber::yield();
             }),
             "\"careless\" .*guard of .*misuse_test");
}

WEFT_TEST(checked_lock, locks_like_the_mutex_that_it_wraps) {
  weft::checked_lock<std::mutex> lock;
  std::size_t count = 0;
  const std::size_t rounds = repeated(500, 100);
  const auto work = [&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      {
        const std::scoped_lock hold(lock);
        ++count;
      }
      if (i % 16 == 0) weft::this_fiber::yield();
    }
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 4; ++i) crew.push_back(weft::spawn(work));
  std::thread outside(work);
  for (auto& each : crew) each.join();
  outside.join();
  EXPECT_EQ(count, 5 * rounds);
}

WEFT_TEST(checked_lock, may_be_unlocked_in_any_order) {
  weft::checked_lock<std::mutex> first, second;
  first.lock();
  ASSERT_TRUE(second.try_lock());
  first.unlock();
  second.unlock();
  weft::this_fiber::yield();
}

TEST(mutex, destroyed_while_locked_ends_the_program) {
  EXPECT_END(
      {
        weft::mutex gate;
        gate.lock();
      },
      "mutex is destroyed while it is locked");
}

TEST(condition_variable, destroyed_while_waited_for_ends_the_program) {
  EXPECT_END(weft::run([] {
               weft::mutex gate;
               auto told = std::make_unique<weft::condition_variable>();
               const weft::pin_guard stay;
               auto waits = begin_here([&] {
                 std::unique_lock lock(gate);
                 told->wait(lock);
               });
               told.reset();
             }),
             "condition variable is destroyed while it is waited for");
}
