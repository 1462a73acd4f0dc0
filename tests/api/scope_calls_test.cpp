// Children that scope::join() calls on its owner's stack are fibers like any other.
#include "support/with_cores.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

std::uintptr_t place_on_stack() {
  const volatile char here = 0;
  return reinterpret_cast<std::uintptr_t>(&here);
}

bool is_on_stack_of(std::uintptr_t place) { return place - place_on_stack() < std::uintptr_t{32} << 10; }

// One core, where the newest child is sure to be there still when its scope is joined.
bool calls_for_sure() { return current_setting.cores == 1 && !is_shuffled; }

int depth_of(int n) {
  if (n == 0) return 0;
  int deep = 0;
  weft::with_scope([&](weft::scope& crew) { crew.spawn([&] { deep = depth_of(n - 1); }); });
  return deep + 1;
}

struct counted {
  explicit counted(std::atomic<int>& n) : ended(&n) {}
  ~counted() {
    weft::this_fiber::yield();  // A destructor may let others run.
    ++*ended;
  }
  std::atomic<int>* ended;
};

}  // namespace

WEFT_TEST(scope_calls, children_that_have_not_started) {
  if (!calls_for_sure()) return;
  const std::uintptr_t mine = place_on_stack();
  // Where the core is kept from running for a millisecond, the join lets others have it, and a child begins elsewhere.
  EXPECT_TRUE(yield_until([&] {
    const weft::core_statistics before = weft::statistics().cores[0];
    int here = 0;
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 10; ++i) crew.spawn([&] { here += is_on_stack_of(mine); });
    });
    const weft::core_statistics after = weft::statistics().cores[0];
    EXPECT_EQ(after.started, before.started + 10);
    EXPECT_EQ(after.ended, before.ended + 10);
    return here == 10 && after.switches == before.switches;
  }));
}

WEFT_TEST(scope_calls, nobody_elses_children) {
  const std::uintptr_t mine = place_on_stack();
  bool is_here = true;
  weft::with_scope([&](weft::scope& outer) {
    weft::with_scope([&](weft::scope& inner) {
      inner.spawn([] {});
      outer.spawn([&] { is_here = is_on_stack_of(mine); });
    });
    EXPECT_TRUE(yield_until([&] { return outer.live() == 0; }));
  });
  EXPECT_FALSE(is_here);
}

WEFT_TEST(scope_calls, not_what_serves_in_the_background_or_wants_a_stack_of_its_own) {
  const std::uintptr_t mine = place_on_stack();
  std::atomic<int> here{0};
  const auto look = [&] { here += is_on_stack_of(mine); };
  weft::with_scope([&](weft::scope& crew) { crew.spawn_background(look); });
  weft::with_scope([&](weft::scope& crew) { crew.spawn({.stack_bytes = std::size_t{1} << 20}, look); });
  weft::with_scope([&](weft::scope& crew) { crew.spawn({.preserve_fp = true}, look); });
  weft::with_scope([&](weft::scope& crew) { crew.spawn({.core = weft::this_fiber::core()}, look); });
  weft::shield([&] { weft::with_scope([&](weft::scope& crew) { crew.spawn(look); }); });
  EXPECT_EQ(here, 0);
}

WEFT_TEST(scope_calls, children_have_ids_and_names) {
  const std::uint64_t mine = weft::this_fiber::id();
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 3; ++i) {
    weft::with_scope([&](weft::scope& crew) {
      crew.spawn({.name = "child"}, [&] {
        ids.push_back(weft::this_fiber::id());
        EXPECT_EQ(weft::this_fiber::name(), "child");
        weft::gather([] { EXPECT_EQ(weft::this_fiber::name(), ""); }, [] {});
        weft::this_fiber::yield();
        EXPECT_EQ(weft::this_fiber::id(), ids.back());
      });
    });
    EXPECT_EQ(weft::this_fiber::id(), mine);
    EXPECT_EQ(weft::this_fiber::name(), "main");
  }
  EXPECT_NE(ids[0], mine);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_NE(ids[1], ids[2]);
}

WEFT_TEST(scope_calls, children_have_variables_of_their_own_which_end_with_them) {
  static weft::fiber_local<std::unique_ptr<counted>> kept;
  static weft::context_local<int> setting("setting");
  std::atomic<int> ended{0};
  std::atomic<int> never{0};
  kept.get() = std::make_unique<counted>(never);
  const auto token = setting.set(10);
  weft::with_scope([&](weft::scope& crew) {
    crew.spawn([&] {
      EXPECT_EQ(kept.get(), nullptr);
      kept.get() = std::make_unique<counted>(ended);
      EXPECT_EQ(setting.get(), 10);
      static_cast<void>(setting.set(20));
    });
  });
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(never, 0);
  EXPECT_NE(kept.get(), nullptr);
  EXPECT_EQ(setting.get(), 10);
  kept.get() = nullptr;
}

WEFT_TEST(scope_calls, children_see_the_context_of_their_spawn) {
  static weft::context_local<int> setting("setting");
  const auto token = setting.set(1);
  weft::with_scope([&](weft::scope& crew) {
    crew.spawn([&] { EXPECT_EQ(setting.get(), 1); });
    static_cast<void>(setting.set(2));
    crew.spawn([&] { EXPECT_EQ(setting.get(), 2); });
  });
}

WEFT_TEST(scope_calls, children_own_what_they_lock) {
  weft::recursive_mutex m;
  m.lock();
  weft::with_scope([&](weft::scope& crew) { crew.spawn([&] { EXPECT_FALSE(m.try_lock()); }); });
  m.unlock();
}

WEFT_TEST(scope_calls, a_success_elsewhere_cancels_the_child_that_is_called) {
  std::atomic<int> cancelled{0};
  weft::event is_asleep;
  weft::with_scope(weft::scope_policy::any(), [&](weft::scope& crew) {
    crew.spawn([&] { is_asleep.wait(); });
    crew.spawn([&] {
      is_asleep.set();
      try {
        sleep_for_ever();
      } catch (const weft::cancelled& e) {
        cancelled += e.reason() == weft::cancel_reason::scope;
        throw;
      }
    });
  });
  EXPECT_EQ(cancelled, 1);
}

WEFT_TEST(scope_calls, an_error_elsewhere_cancels_the_child_that_is_called) {
  weft::event is_asleep;
  std::atomic<bool> is_over{false};
  EXPECT_THROW(weft::with_scope([&](weft::scope& crew) {
                 crew.spawn([&] {
                   is_asleep.wait();
                   throw std::runtime_error("no");
                 });
                 crew.spawn([&] {
                   is_asleep.set();
                   struct at_end {
                     std::atomic<bool>& flag;
                     ~at_end() { flag = true; }
                   } mark{is_over};
                   sleep_for_ever();
                 });
               }),
               std::runtime_error);
  EXPECT_TRUE(is_over);
}

WEFT_TEST(scope_calls, a_child_that_is_called_obeys_its_scope_its_owner_and_a_timeout) {
  weft::auto_reset_event is_asleep;
  const auto join_a_sleeper = [&](auto with) {
    weft::scope crew;
    crew.spawn([&] {
      is_asleep.set();
      sleep_for_ever();
    });
    with(crew);
  };
  join_a_sleeper([&](weft::scope& crew) {
    auto other = weft::spawn([&] {
      is_asleep.wait();
      crew.cancel();
    });
    crew.join();
    other.join();
  });
  auto owner = weft::spawn([&] { join_a_sleeper([](weft::scope& crew) { crew.join(); }); });
  is_asleep.wait();
  owner.cancel();
  EXPECT_THROW(owner.join(), weft::join_cancelled);
  EXPECT_THROW(weft::with_timeout(1ms, [&] { join_a_sleeper([](weft::scope& crew) { crew.join(); }); }),
               weft::timed_out);
}

WEFT_TEST(scope_calls, an_end_of_the_runtime_reaches_the_child_that_is_called) {
  weft::runtime other;
  std::atomic<bool> is_asleep{false};
  other
      .spawn([&] {
        weft::with_scope([&](weft::scope& crew) {
          crew.spawn([&] {
            is_asleep = true;
            sleep_for_ever();
          });
        });
      })
      .detach();
  EXPECT_TRUE(eventually([&] { return is_asleep.load(); }));
}

WEFT_TEST(scope_calls, variables_of_a_cancelled_child_may_wait_at_their_end) {
  static weft::fiber_local<std::unique_ptr<counted>> kept;
  std::atomic<int> ended{0};
  weft::with_scope([&](weft::scope& crew) {
    crew.spawn([&] {
      kept.get() = std::make_unique<counted>(ended);
      crew.cancel();
      weft::this_fiber::yield();
    });
  });
  EXPECT_EQ(ended, 1);
}

WEFT_TEST(scope_calls, somebody_elses_cancelled_is_an_error) {
  std::exception_ptr foreign;
  weft::event is_asleep;
  auto victim = weft::spawn([&] {
    try {
      is_asleep.set();
      sleep_for_ever();
    } catch (...) {
      foreign = std::current_exception();
      throw;
    }
  });
  is_asleep.wait();
  victim.cancel();
  EXPECT_THROW(victim.join(), weft::join_cancelled);
  weft::options wanted;
  std::atomic<int> lost{0};
  wanted.on_lost_error = [&](const weft::lost_error&) { ++lost; };
  weft::runtime other(wanted);
  other
      .spawn(
          [&] { weft::with_scope([&](weft::scope& crew) { crew.spawn([&] { std::rethrow_exception(foreign); }); }); })
      .join();
  EXPECT_TRUE(yield_until([&] { return lost == 1; }));  // Reported at its end; the scope has let it go before.
}

WEFT_TEST(scope_calls, goes_on_where_the_stack_ends) { EXPECT_EQ(depth_of(2'000), 2'000); }

WEFT_TEST(scope_calls, while_the_owner_unwinds) {
  int ran = 0;
  struct joins_at_end {
    weft::scope crew;
    ~joins_at_end() { crew.join(); }
  };
  try {
    joins_at_end work;
    work.crew.spawn([&] {
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      ++ran;
    });
    throw std::runtime_error("up");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(ran, 1);
  }
}

WEFT_TEST(scope_calls, of_a_pinned_owner_keep_its_thread) {
  const weft::pin_guard here;
  weft::with_scope([](weft::scope& crew) {
    for (int i = 0; i < 4; ++i) crew.spawn([] { weft::this_fiber::yield(); });
  });
}

WEFT_TEST(scope_calls, trees_of_scopes_that_wait_and_move) {
  std::atomic<int> leaves{0};
  const auto grow = [&](const auto& self, int depth) -> void {
    if (depth == 0) {
      if (++leaves % 3 == 0) weft::this_fiber::yield();
      return;
    }
    weft::with_scope([&](weft::scope& crew) {
      for (int i = 0; i < 3; ++i) crew.spawn([&self, depth] { self(self, depth - 1); });
      if (depth % 2 == 0) weft::spawn([] { weft::this_fiber::yield(); }).detach();
    });
  };
  grow(grow, 6);
  EXPECT_EQ(leaves, 729);
}
