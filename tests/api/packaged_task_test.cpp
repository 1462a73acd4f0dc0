// Packaged tasks: results, misuse, cancellation.
#include "support/future_errors.h"
#include "support/with_cores.h"

#include <weft/packaged_task.h>

#include <atomic>
#include <memory>

using namespace weft_test;

WEFT_TEST(packaged_task, keeps_what_the_function_returns_or_throws) {
  weft::packaged_task<int(int, int)> sum([](int a, int b) { return a + b; });
  auto f = sum.get_future();
  auto runner = weft::spawn([&] { sum(1, 2); });
  EXPECT_EQ(f.get(), 3);
  runner.join();
  EXPECT_EQ(code_of([&] { sum(1, 2); }), std::future_errc::promise_already_satisfied);
  sum.reset();
  sum(3, 4);
  EXPECT_EQ(sum.get_future().get(), 7);
  weft::packaged_task<void(std::unique_ptr<int>)> thrower([](std::unique_ptr<int> p) { throw *p; });
  thrower(std::make_unique<int>(8));
  EXPECT_THROW(thrower.get_future().get(), int);
}

WEFT_TEST(packaged_task, drops_a_result_that_nobody_wants) {
  int called = 0;
  weft::packaged_task<void()> task([&] { return ++called; });
  weft::future<void> done = task.get_future();
  task();
  done.get();
  EXPECT_EQ(called, 1);
}

WEFT_TEST(packaged_task, without_a_call_breaks_its_promise) {
  weft::future<void> f;
  {
    weft::packaged_task<void()> task("clean up", [] {});
    f = task.get_future();
  }
  EXPECT_NE(text_of<weft::broken_promise>([&] { f.get(); }).find("clean up"), std::string::npos);
  weft::packaged_task<void()> none;
  EXPECT_FALSE(none.valid());
  EXPECT_EQ(code_of([&] { none(); }), std::future_errc::no_state);
}

WEFT_TEST(packaged_task, is_not_called_once_its_future_is_cancelled) {
  bool ran = false;
  weft::packaged_task<void()> task([&] { ran = true; });
  auto f = task.get_future();
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(task.cancelled());
  task();
  EXPECT_FALSE(ran);
}

WEFT_TEST(packaged_task, on_a_cancelled_fiber_cancels_its_future) {
  weft::packaged_task<void()> task([] { weft::this_fiber::sleep_for(long_enough); });
  auto f = task.get_future();
  std::atomic<bool> began{false};
  auto runner = weft::spawn([&] {
    began = true;
    task();
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  runner.cancel();
  EXPECT_THROW(f.get(), weft::join_cancelled);
  EXPECT_THROW(runner.join(), weft::join_cancelled);
}
