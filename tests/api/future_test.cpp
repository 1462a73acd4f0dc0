// Promises and futures: results, misuse, cancellation, callbacks, and who frees what.
#include "support/counted.h"
#include "support/future_errors.h"
#include "support/with_cores.h"

#include <atomic>
#include <memory>
#include <string>

using namespace weft_test;

namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct throws_when_moved {
  explicit throws_when_moved(int* of) : moves_left(of) {}
  throws_when_moved(const throws_when_moved& other) : moves_left(other.moves_left) {
    if ((*moves_left)-- == 0) throw std::length_error("moved once too often");
  }
  int* moves_left;
};

}  // namespace

// --- Results -------------------------------------------------------------------------------------------------------------

WEFT_TEST(future, gives_what_the_promise_was_given) {
  weft::promise<int> p;
  weft::future<int> f = p.get_future();
  EXPECT_TRUE(f.valid());
  EXPECT_FALSE(f.done());
  auto producer = weft::spawn([&] { p.set_value(42); });
  EXPECT_EQ(f.get(), 42);
  EXPECT_FALSE(f.valid());
  producer.join();
}

WEFT_TEST(future, holds_nothing_references_and_what_can_only_be_moved) {
  weft::promise<void> nothing;
  nothing.set_value();
  static_assert(std::is_void_v<decltype(nothing.get_future().get())>);
  nothing.get_future().get();
  int place = 0;
  weft::promise<int&> reference;
  reference.set_value(place);
  EXPECT_EQ(&reference.get_future().get(), &place);
  weft::promise<std::unique_ptr<int>> moved;
  moved.set_value(std::make_unique<int>(7));
  EXPECT_EQ(*moved.get_future().get(), 7);
}

WEFT_TEST(future, rethrows_with_the_type_kept) {
  weft::promise<int> p;
  p.set_exception(std::make_exception_ptr(std::out_of_range("beyond")));
  auto f = p.get_future();
  EXPECT_TRUE(f.done());
  EXPECT_THROW(f.get(), std::out_of_range);
  EXPECT_FALSE(f.valid());
  EXPECT_THROW(p.set_exception(nullptr), std::invalid_argument);
}

WEFT_TEST(future, may_be_ready_from_the_start) {
  EXPECT_EQ(weft::make_ready_future(5).get(), 5);
  EXPECT_EQ(weft::make_ready_future<std::string>(3, 'x').get(), "xxx");
  int place = 0;
  EXPECT_EQ(&weft::make_ready_future(std::ref(place)).get(), &place);
  weft::make_ready_future().get();
  auto failed = weft::make_error_future<int>(std::make_exception_ptr(std::runtime_error("no")));
  EXPECT_TRUE(failed.done());
  EXPECT_THROW(failed.get(), std::runtime_error);
  EXPECT_THROW(static_cast<void>(weft::make_error_future<int>(nullptr)), std::invalid_argument);
}

WEFT_TEST(future, is_shared_by_many_waiters) {
  weft::promise<std::string> p;
  const weft::shared_future<std::string> all = p.get_future();
  std::vector<weft::fiber<const std::string*>> waiters;
  for (int i = 0; i < 20; ++i) waiters.push_back(weft::spawn([all] { return &all.get(); }));
  std::thread outside([all] { EXPECT_EQ(all.get(), "one"); });
  weft::this_fiber::yield();
  p.set_value("one");
  for (auto& each : waiters) EXPECT_EQ(each.join(), &all.get());
  while (!all.done()) weft::this_fiber::yield();
  outside.join();
  EXPECT_TRUE(all.valid());
}

WEFT_TEST(future, shares_an_error_too) {
  weft::promise<void> p;
  const auto all = p.get_future().share();
  const auto copy = all;
  p.set_exception(std::make_exception_ptr(std::runtime_error("no")));
  EXPECT_THROW(all.get(), std::runtime_error);
  EXPECT_THROW(copy.get(), std::runtime_error);
}

TEST(future, works_between_plain_threads_without_a_runtime) {
  weft::promise<int> there, back;
  auto asked = there.get_future();
  auto answer = back.get_future();
  std::thread other([&] { back.set_value(asked.get() + 1); });
  there.set_value(1);
  EXPECT_EQ(answer.get(), 2);
  other.join();
}

WEFT_TEST(future, may_outlive_its_promise_and_the_promise_its_future) {
  auto p = std::make_unique<weft::promise<int>>();
  auto f = p->get_future();
  p->set_value(1);
  p.reset();
  EXPECT_EQ(f.get(), 1);
  weft::promise<int> lonely;
  static_cast<void>(lonely.get_future());
  lonely.set_value(2);
}

// --- Waiting -------------------------------------------------------------------------------------------------------------

WEFT_TEST(future, wait_gives_up_at_its_deadline) {
  weft::promise<int> p;
  auto f = p.get_future();
  EXPECT_EQ(f.wait_for(0s), std::future_status::timeout);
  EXPECT_EQ(f.wait_for(-1s), std::future_status::timeout);
  EXPECT_EQ(f.wait_for(1ms), std::future_status::timeout);
  EXPECT_EQ(f.wait_until(std::chrono::steady_clock::now() + 1ms), std::future_status::timeout);
  auto producer = weft::spawn([&] { p.set_value(1); });
  EXPECT_EQ(f.wait_for(std::chrono::hours::max()), std::future_status::ready);
  EXPECT_EQ(f.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(f.get(), 1);
  producer.join();
}

WEFT_TEST(future, keeps_its_state_when_the_waiting_fiber_is_cancelled) {
  weft::promise<int> p;
  auto f = p.get_future();
  std::atomic<bool> threw{false};
  auto waiter = weft::spawn([&] {
    try {
      f.get();
    } catch (const weft::cancelled&) {
      threw = true;
      throw;
    }
  });
  weft::this_fiber::yield();
  waiter.cancel();
  EXPECT_THROW(waiter.join(), weft::join_cancelled);
  ASSERT_TRUE(f.valid());
  EXPECT_FALSE(f.cancelled());
  p.set_value(3);
  EXPECT_EQ(f.get(), 3);
}

WEFT_TEST(future, a_result_that_is_there_counts_more_than_a_cancelled_caller) {
  std::atomic<bool> is_set{false};
  int got = 0;
  auto f = weft::spawn([&] {
    while (!is_set) {
      try {
        weft::this_fiber::yield();
      } catch (const weft::cancelled&) {
      }
    }
    got = weft::make_ready_future(9).get();
  });
  weft::this_fiber::yield();
  f.cancel();
  is_set = true;
  try {
    f.join();
    EXPECT_EQ(got, 9);
  } catch (const weft::join_cancelled&) {
    EXPECT_EQ(got, 0);  // It had not started.
  }
}

// --- Misuse --------------------------------------------------------------------------------------------------------------

WEFT_TEST(future, refuses_misuse_by_the_codes_of_std) {
  weft::future<int> none;
  EXPECT_EQ(code_of([&] { none.get(); }), std::future_errc::no_state);
  EXPECT_EQ(code_of([&] { none.wait(); }), std::future_errc::no_state);
  EXPECT_EQ(code_of([&] { none.cancel(); }), std::future_errc::no_state);
  EXPECT_FALSE(none.done());
  weft::promise<int> p;
  auto f = p.get_future();
  EXPECT_EQ(code_of([&] { static_cast<void>(p.get_future()); }), std::future_errc::future_already_retrieved);
  p.set_value(1);
  EXPECT_EQ(code_of([&] { p.set_value(2); }), std::future_errc::promise_already_satisfied);
  EXPECT_EQ(code_of([&] { p.set_exception(std::make_exception_ptr(1)); }), std::future_errc::promise_already_satisfied);
  EXPECT_FALSE(p.set_result(3));
  EXPECT_FALSE(p.set_error(std::make_exception_ptr(1)));
  EXPECT_EQ(f.get(), 1);
  weft::promise<int> moved_to(std::move(p));
  EXPECT_EQ(code_of([&] { p.set_value(2); }), std::future_errc::no_state);
  EXPECT_TRUE(says(text_of<weft::future_error>([&] { none.get(); }), "weft::future::get"));
}

WEFT_TEST(future, of_a_broken_promise_says_so_by_name) {
  auto p = std::make_unique<weft::promise<int>>("the price");
  // Shared: the error outlives its reader in our frame. ThreadSanitizer does not see libstdc++ count its owners.
  const auto f = p->get_future().share();
  auto waiter = weft::spawn([&] { return text_of<weft::broken_promise>([&] { f.get(); }); });
  weft::this_fiber::yield();
  p.reset();
  EXPECT_TRUE(says(waiter.join(), "\"the price\""));
  weft::promise<int> assigned;
  auto g = assigned.get_future();
  assigned = weft::promise<int>();
  EXPECT_EQ(code_of([&] { g.get(); }), std::future_errc::broken_promise);
}

WEFT_TEST(future, a_value_that_throws_when_stored_may_be_tried_again) {
  int moves = 0;
  weft::promise<throws_when_moved> p;
  auto f = p.get_future();
  const throws_when_moved value(&moves);
  EXPECT_THROW(p.set_value(value), std::length_error);
  EXPECT_FALSE(f.done());
  moves = 1;
  p.set_value(value);
  ASSERT_TRUE(f.done());
  EXPECT_THROW(f.get(), std::length_error);
  EXPECT_FALSE(f.valid());
}

// --- Cancelling ----------------------------------------------------------------------------------------------------------

WEFT_TEST(future, once_cancelled_drops_what_is_set) {
  weft::promise<int> p("the price");
  auto f = p.get_future();
  auto waiter = weft::spawn([all = f.share()] { return all.get(); });
  weft::promise<int> q;
  auto g = q.get_future();
  EXPECT_TRUE(g.cancel());
  EXPECT_FALSE(g.cancel());
  EXPECT_TRUE(g.cancelled() && g.done() && q.cancelled());
  q.set_value(1);
  q.set_exception(std::make_exception_ptr(1));
  EXPECT_FALSE(q.set_result(1));
  EXPECT_THROW(g.get(), weft::join_cancelled);
  p.set_value(5);
  EXPECT_EQ(waiter.join(), 5);
}

WEFT_TEST(future, cancelled_wakes_who_waits_and_names_the_future) {
  weft::promise<int> p("the price");
  const auto all = p.get_future().share();
  auto waiter = weft::spawn([all] { return text_of<weft::join_cancelled>([&] { all.get(); }); });
  weft::this_fiber::yield();
  EXPECT_TRUE(all.cancel());
  EXPECT_TRUE(says(waiter.join(), "\"the price\""));
}

WEFT_TEST(future, that_is_done_is_not_cancelled) {
  weft::promise<int> p;
  auto f = p.get_future();
  p.set_value(1);
  EXPECT_FALSE(f.cancel());
  EXPECT_FALSE(f.cancelled());
  EXPECT_EQ(f.get(), 1);
}

WEFT_TEST(promise, hears_of_the_cancellation_once) {
  int before = 0, after = 0, never = 0;
  weft::promise<int> p;
  auto f = p.get_future();
  p.on_cancel([&] { ++before; });
  f.cancel();
  p.on_cancel([&] { ++after; });
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 1);
  std::atomic<int> live{0};
  {
    weft::promise<int> q;
    q.on_cancel([&never, held = counted(live)] { ++never; });
    q.set_value(1);
    EXPECT_EQ(live, 1);
  }
  EXPECT_EQ(never, 0);
  EXPECT_EQ(live, 0);
}

WEFT_TEST(promise, turns_the_cancellation_of_a_fiber_into_that_of_its_future) {
  weft::promise<int> p;
  auto f = p.get_future();
  int told = 0;
  p.on_cancel([&] { ++told; });
  weft::move_on_after(0s, [&] {
    try {
      weft::this_fiber::yield();
    } catch (const weft::cancelled&) {
      p.set_exception(std::current_exception());
    }
  });
  EXPECT_TRUE(f.cancelled() && told == 1);
  p.on_cancel([&] { ++told; });
  EXPECT_EQ(told, 2);
  EXPECT_THROW(f.get(), weft::join_cancelled);
}

// --- Memory --------------------------------------------------------------------------------------------------------------

WEFT_TEST(future, frees_its_value_once) {
  std::atomic<int> live{0};
  {
    weft::promise<counted> got, dropped, shared, late;
    auto f = got.get_future();
    auto g = dropped.get_future();
    auto s = shared.get_future().share();
    got.set_value(counted(live));
    dropped.set_value(counted(live));
    shared.set_value(counted(live));
    static_cast<void>(late.get_future());
    late.set_value(counted(live));
    static_cast<void>(f.get());
    const auto copy = s;
    EXPECT_EQ(copy.get().live, &live);
    EXPECT_EQ(live, 4);
  }
  EXPECT_EQ(live, 0);
}

// --- Packaged tasks ------------------------------------------------------------------------------------------------------
