// What belongs to a fiber and what to its thread: exceptions, thread_local variables, and on which thread a fiber goes on.
#include "support/with_cores.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cfenv>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

long thread_id() { return syscall(SYS_gettid); }

thread_local int own_place = 0;

// The address of the calling thread's variable, as compilers would not keep it.
[[gnu::noinline]] int* place_of_this_thread() {
  int* place = &own_place;
  __asm__ __volatile__("" : "+r"(place));
  return place;
}

// Makes a migrating fiber go on on another core: keeps its own one busy until somebody has stolen it. Does not suspend
// after that, so the caller still is where it was moved to. One at a time: two could keep each other's way out busy.
void move_to_another_core() {
  static std::atomic<bool> is_under_way{false};
  if (is_under_way.exchange(true)) return weft::this_fiber::yield();
  const std::size_t from = weft::this_fiber::core();
  const auto moved = std::make_shared<std::atomic<bool>>(false);
  weft::spawn({.core = from}, [moved] {
    while (!*moved) std::this_thread::yield();
  }).detach();
  while (weft::this_fiber::core() == from) weft::this_fiber::yield();
  *moved = true;
  is_under_way = false;
}

bool can_move() { return current_setting.migrates() && current_setting.cores > 1; }

void suspend_somehow(int how) {
  if (can_move() && how % 4 == 3) return move_to_another_core();
  if (how % 2 == 0) return weft::this_fiber::yield();
  weft::this_fiber::sleep_for(10us);
}

}  // namespace

// --- Migration -----------------------------------------------------------------------------------------------------------

WEFT_TEST(migration, at_start_keeps_the_thread) {
  std::vector<weft::fiber<bool>> crew;
  for (int i = 0; i < 40; ++i) {
    crew.push_back(weft::spawn({.migration = weft::migration::at_start}, [] {
      const long first = thread_id();
      const std::size_t core = weft::this_fiber::core();
      bool stayed = true;
      for (int k = 0; k < 30; ++k) {
        k % 2 == 0 ? weft::this_fiber::yield() : weft::this_fiber::sleep_for(20us);
        stayed = stayed && thread_id() == first && weft::this_fiber::core() == core;
      }
      return stayed;
    }));
  }
  for (auto& each : crew) EXPECT_TRUE(each.join());
}

WEFT_TEST(migration, free_goes_on_elsewhere_while_its_core_is_held) {
  if (current_setting.cores == 1) return;
  weft::spawn({.migration = weft::migration::free}, [] {
    const long before = thread_id();
    const std::size_t core = weft::this_fiber::core();
    move_to_another_core();
    EXPECT_NE(thread_id(), before);
    EXPECT_NE(weft::this_fiber::core(), core);
  }).join();
}

WEFT_TEST(migration, pin_guard_keeps_a_migrating_fiber) {
  std::vector<weft::fiber<bool>> crew;
  for (int i = 0; i < 40; ++i) {
    crew.push_back(weft::spawn({.migration = weft::migration::free}, [] {
      const weft::pin_guard outer;
      const long first = thread_id();
      bool stayed = true;
      for (int k = 0; k < 20; ++k) {
        {
          const weft::pin_guard inner;
          weft::this_fiber::yield();
        }
        weft::this_fiber::sleep_for(20us);
        stayed = stayed && thread_id() == first;
      }
      return stayed;
    }));
  }
  for (auto& each : crew) EXPECT_TRUE(each.join());
}

WEFT_TEST(migration, pin_guard_lets_go_at_its_end) {
  if (current_setting.cores == 1) return;
  weft::spawn({.migration = weft::migration::free}, [] {
    { const weft::pin_guard briefly; }
    move_to_another_core();
  }).join();
}

WEFT_TEST(migration, un_started_work_is_taken_from_a_busy_core) {
  if (current_setting.cores == 1) return;
  std::atomic<bool> ran_elsewhere{false};
  auto f = weft::spawn([&] { ran_elsewhere = true; });
  // No suspension here: only another core can run it.
  EXPECT_TRUE(eventually([&] { return ran_elsewhere.load(); }));
  f.join();
}

// --- thread_local --------------------------------------------------------------------------------------------------------

WEFT_TEST(thread_state, is_that_of_the_thread_after_each_suspension) {
  std::mutex table_lock;
  std::map<long, int*> place_of;
  std::map<std::size_t, long> thread_of;
  const auto check = [&] {
    const std::scoped_lock hold(table_lock);
    const long thread = thread_id();
    EXPECT_EQ(place_of.try_emplace(thread, place_of_this_thread()).first->second, place_of_this_thread());
    EXPECT_EQ(thread_of.try_emplace(weft::this_fiber::core(), thread).first->second, thread);
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 8; ++i) {
    crew.push_back(weft::spawn([&, i] {
      for (int k = 0; k < 8; ++k) {
        check();
        suspend_somehow(i + k);
      }
      check();
    }));
  }
  for (auto& each : crew) each.join();
  EXPECT_LE(thread_of.size(), current_setting.cores);
}

WEFT_TEST(thread_state, has_the_errno_of_its_thread) {
  if (!can_move()) return;
  // Each core's errno is its index + 1: what a fiber reads after a move is the new core's.
  for (std::size_t core = 0; core < current_setting.cores; ++core) {
    weft::spawn({.core = core}, [core] { errno = static_cast<int>(core) + 1; }).join();
  }
  const auto set_here = [] { errno = static_cast<int>(weft::this_fiber::core()) + 1000; };
  set_here();
  const std::size_t before = weft::this_fiber::core();
  move_to_another_core();
  EXPECT_NE(errno, static_cast<int>(before) + 1000);
  set_here();
  EXPECT_EQ(errno, static_cast<int>(weft::this_fiber::core()) + 1000);
}

// --- Exceptions ----------------------------------------------------------------------------------------------------------

WEFT_TEST(exceptions, in_two_catch_blocks_stay_apart) {
  const auto inside_a_catch = [](int mine) {
    return weft::spawn([mine] {
      for (int round = 0; round < 8; ++round) {
        try {
          try {
            throw mine + round;
          } catch (int) {
            suspend_somehow(round);
            throw;
          }
        } catch (int seen) {
          EXPECT_EQ(seen, mine + round);
          suspend_somehow(round + 1);
        }
      }
    });
  };
  std::vector<weft::fiber<void>> crew;
  for (int i = 1; i <= 6; ++i) crew.push_back(inside_a_catch(1000 * i));
  for (auto& each : crew) each.join();
}

WEFT_TEST(exceptions, current_one_survives_a_suspension) {
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 8; ++i) {
    crew.push_back(weft::spawn([i] {
      EXPECT_EQ(std::current_exception(), nullptr);
      try {
        throw std::runtime_error(std::to_string(i));
      } catch (const std::runtime_error& error) {
        const std::exception_ptr before = std::current_exception();
        suspend_somehow(i);
        EXPECT_EQ(std::current_exception(), before);
        EXPECT_EQ(error.what(), std::to_string(i));
      }
      EXPECT_EQ(std::current_exception(), nullptr);
    }));
  }
  for (auto& each : crew) each.join();
}

namespace {
// Suspends in its destructor, and there throws, unwinds and catches another exception while it suspends again.
struct suspends_at_its_end {
  int how;
  int uncaught;
  int depth;
  ~suspends_at_its_end() {
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
    suspend_somehow(how);
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
    if (depth == 0) return;
    try {
      const suspends_at_its_end inner{how + 1, uncaught + 1, depth - 1};
      throw how;
    } catch (int seen) {
      EXPECT_EQ(seen, how);
    }
    suspend_somehow(how + 2);
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
  }
};
}  // namespace

WEFT_TEST(exceptions, let_destructors_suspend_while_they_unwind) {
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 6; ++i) {
    crew.push_back(weft::spawn([i] {
      try {
        const suspends_at_its_end last{i, 1, 2};
        throw std::to_string(i);
      } catch (const std::string& seen) {
        EXPECT_EQ(seen, std::to_string(i));
      }
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    }));
  }
  for (auto& each : crew) each.join();
}

WEFT_TEST(exceptions, uncaught_ones_are_counted_for_each_fiber) {
  std::atomic<bool> unwinding{false}, looked{false};
  auto one = weft::spawn([&] {
    struct pausing {
      std::atomic<bool>&unwinding, &looked;
      ~pausing() {
        EXPECT_EQ(std::uncaught_exceptions(), 1);
        unwinding = true;
        yield_until([this] { return looked.load(); });
        EXPECT_EQ(std::uncaught_exceptions(), 1);
      }
    };
    const pausing last{unwinding, looked};
    throw 1;
  });
  yield_until([&] { return unwinding.load(); });
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  auto two = weft::spawn([&] {
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    looked = true;
  });
  two.join();
  EXPECT_THROW(one.join(), int);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

WEFT_TEST(floating_point, rounds_as_the_thread_does_by_default) {
  std::vector<weft::fiber<void>> crew;
  for (int i = 0; i < 10; ++i) {
    crew.push_back(weft::spawn([i] {
      for (int k = 0; k < 5; ++k) {
        EXPECT_EQ(std::fegetround(), FE_TONEAREST);
        suspend_somehow(i + k);
      }
    }));
  }
  for (auto& each : crew) each.join();
}

// A thread hands its control words down to those that it starts.
TEST(floating_point, rounds_by_default_whatever_the_maker_of_the_runtime_does) {
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  const int in_a_fiber = weft::run([] { return std::fegetround(); });
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(in_a_fiber, FE_TONEAREST);
}
