// Completions and timers as plain threads see them: no runtime is needed to wait.
#include "scheduler/completion.h"

#include "platform/clock.h"
#include "scheduler/timers.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weft::detail {
namespace {

wake_reason wait_for(completion& c, std::int64_t deadline) {
  wait_node n;
  n.who = begin_wait();
  if (!c.add(n)) {
    const wake_reason why = retract_wait(n.who);
    c.remove(n);
    return why;
  }
  const wake_reason why = finish_wait(n.who, deadline);
  if (why != wake_reason::notified) c.remove(n);
  return why;
}

TEST(completion, is_done_once_finished) {
  completion c;
  EXPECT_FALSE(c.done());

  c.finish();

  EXPECT_TRUE(c.done());
  EXPECT_EQ(wait_for(c, never), wake_reason::none);
}

TEST(completion, wait_gives_up_at_its_deadline_and_leaves_the_list) {
  completion c;

  EXPECT_EQ(wait_for(c, deadline_after(1'000'000)), wake_reason::timed_out);

  c.finish();
  EXPECT_TRUE(c.done());
}

TEST(completion, wakes_everybody) {
  completion c;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&c] {
      while (!c.done()) wait_for(c, never);
    });
  }

  c.finish();

  for (std::thread& w : waiters) w.join();
}

// The object dies the instant that somebody has seen it done.
TEST(completion, may_be_destroyed_once_it_is_seen_done) {
  for (int round = 0; round < 2000; ++round) {
    auto* const c = new completion;
    std::thread finisher([c] { c->finish(); });
    while (!c->done()) wait_for(*c, round % 2 == 0 ? never : deadline_after(1000));
    delete c;
    finisher.join();
  }
}

TEST(timers, fire_what_is_due_and_nothing_else) {
  timers clockwork(0);
  const waiter early = begin_wait();
  wait_timer due(early, 1000);
  clockwork.arm(due);
  EXPECT_EQ(clockwork.next_deadline(), 1000);

  EXPECT_EQ(clockwork.run_due(999), 0u);
  EXPECT_EQ(clockwork.run_due(1000), 1u);

  EXPECT_EQ(finish_wait(early, never), wake_reason::timed_out);
  EXPECT_EQ(clockwork.next_deadline(), never);
  EXPECT_TRUE(clockwork.is_idle());
}

// Who sees them done looks at waits next.
TEST(timers, are_done_only_once_what_is_due_has_fired) {
  struct looking : timer_node {
    explicit looking(const timers& in) : clockwork(in) {
      deadline = 1000;
      fire = [](timer_node& self) -> void* {
        auto& me = static_cast<looking&>(self);
        me.were_done = me.clockwork.is_done();
        return nullptr;
      };
    }
    const timers& clockwork;
    bool were_done = true;
  };
  timers clockwork(0);
  looking first(clockwork);
  clockwork.arm(first);

  EXPECT_EQ(clockwork.run_due(1000), 1u);

  EXPECT_FALSE(first.were_done);
  EXPECT_TRUE(clockwork.is_done());
}

TEST(timers, forget_what_is_disarmed) {
  timers clockwork(0);
  const waiter w = begin_wait();
  wait_timer t(w, 1000);
  clockwork.arm(t);

  clockwork.disarm(t);
  clockwork.disarm(t);

  EXPECT_TRUE(clockwork.is_idle());
  EXPECT_EQ(clockwork.run_due(5000), 0u);
  EXPECT_EQ(retract_wait(w), wake_reason::none);
}

TEST(timers, call_the_watcher_for_an_earlier_deadline_only) {
  timers clockwork(0);
  int calls = 0;
  clockwork.set_watcher([](void* p) { ++*static_cast<int*>(p); }, &calls);
  const waiter w = begin_wait();
  wait_timer first(w, 1000);
  wait_timer later(w, 2000);
  wait_timer sooner(w, 500);
  clockwork.arm(first);
  EXPECT_EQ(calls, 0);

  EXPECT_EQ(clockwork.watch(), 1000);
  clockwork.arm(later);
  EXPECT_EQ(calls, 0);
  clockwork.arm(sooner);
  EXPECT_EQ(calls, 1);

  for (wait_timer* const t : {&first, &later, &sooner}) clockwork.disarm(*t);
  retract_wait(w);
}

}  // namespace
}  // namespace weft::detail
