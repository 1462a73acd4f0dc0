// Stacks and memory that cannot be had: the caller of spawn(), or who joins, is told; everything else goes on.
#include "faults/failing_new.h"
#include "faults/injected_faults.h"
#include "support/with_cores.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace weft_test {
namespace {

using calls = weft::detail::system_calls;

void refuse_memory(calls& table) {
  refuse<&calls::mmap, ENOMEM>(table);
  refuse<&calls::mprotect, ENOMEM>(table);
  refuse<&calls::madvise, ENOMEM>(table);
  refuse<&calls::process_madvise, ENOMEM>(table);
}

// Many fibers that all need a stack at once. Returns: how many were refused one.
int refused_of(int fibers) {
  weft::event all_may_go;
  std::atomic<int> ran{0};
  std::vector<weft::fiber<void>> crowd;
  for (int i = 0; i < fibers; ++i) {
    crowd.push_back(weft::spawn([&] {
      ++ran;
      all_may_go.wait();
    }));
  }
  const auto has_ended = [](const weft::fiber<void>& fiber) { return fiber.done(); };
  EXPECT_TRUE(yield_until([&] { return ran + std::count_if(crowd.begin(), crowd.end(), has_ended) == fibers; }));
  all_may_go.set();
  int refused = 0;
  for (auto& fiber : crowd) {
    try {
      fiber.join();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::not_enough_memory) << error.what();
      ++refused;
    }
  }
  EXPECT_EQ(ran + refused, fibers);
  return refused;
}

TEST(stack_faults, end_the_fiber_that_gets_no_stack_and_no_other) {
  const replaced_system_calls faulty{&refuse_memory};
  for (const weft::migration migration : {weft::migration::at_start, weft::migration::free}) {
    for_every_fault(200, [&] {
      const std::uint64_t wanted = fault_plan::fail_at.exchange(0);  // Not of the start, which has a test of its own.
      run_under({2, migration}, [&] {
        fault_plan::calls = 0;
        fault_plan::fail_at = wanted;
        refused_of(static_cast<int>(repeated(300, 150)));
        fault_plan::fail_at = 0;
        EXPECT_EQ(refused_of(10), 0) << "it did not recover";
      });
    });
  }
}

TEST(stack_faults, many_at_once) {
  const replaced_system_calls faulty{&refuse_memory};
  // A runtime a round: stacks that one has kept need no memory of the system's.
  with_random_faults(3, [] {
    const std::uint64_t one_in = fault_plan::one_in.exchange(0);  // Not of the start, which has a test of its own.
    run_under({2, weft::migration::free}, [&] {
      fault_plan::one_in = one_in;
      refused_of(static_cast<int>(repeated(2000, 300)));
      fault_plan::one_in = 0;
      EXPECT_EQ(refused_of(10), 0) << "it did not recover";
    });
    fault_plan::one_in = one_in;
  });
}

// `round` with the first allocation of its thread failing, then the second, and so on.
template <class Round>
void for_every_allocation(Round round) {
  std::uint64_t n = 1;
  for (; n < 200; ++n) {
    failing_new::fail_at(n);
    try {
      round();
    } catch (const std::bad_alloc&) {
    }
    const bool was_last = failing_new::stop() < n;
    if (::testing::Test::HasFailure()) ADD_FAILURE() << "with allocation " << n << " failing";
    if (was_last || ::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(n, 1u) << "nothing was allocated";
}

TEST(allocation_faults, spawn_tells_its_caller) {
  run_under({1}, [] {
    std::atomic<int> ran{0}, spawned{0};
    std::vector<std::optional<weft::fiber<void>>> kept(100'000);
    std::size_t used = 0;
    const std::string name(40, 'n');
    for_every_allocation([&] {
      for (int i = 0; i < 300; ++i) {
        kept[used].emplace(weft::spawn([&] { ++ran; }));
        ++spawned, ++used;
        const std::array<char, 3000> large{};
        kept[used].emplace(weft::spawn({.name = name}, [&ran, large] { ran += 1 + large[0]; }));
        ++spawned, ++used;
      }
    });
    for (std::size_t i = 0; i < used; ++i) kept[i]->join();
    EXPECT_EQ(ran, spawned);
  });
}

TEST(allocation_faults, structures_tell_their_caller) {
  run_under({1}, [] {
    int whole = 0;
    for_every_allocation([&] {
      auto ch = weft::channel<std::string>::unbounded();
      const std::string text(100, 'x');
      for (int i = 0; i < 20; ++i) ch.send(text);
      weft::promise<std::string> promise;
      auto answer = promise.get_future();
      promise.set_value(text);
      int ran = 0;
      weft::with_scope([&](weft::scope& crew) {
        for (int i = 0; i < 20; ++i) crew.spawn([&] { ++ran; });
      });
      EXPECT_EQ(ran, 20);
      const auto [one, two] = weft::gather([&] { return text; }, [] { return 2; });
      EXPECT_EQ(one.size() + answer.get().size(), 200u);
      ++whole;
    });
    EXPECT_GT(whole, 0);
  });
}

TEST(allocation_faults, a_runtime_starts_or_tells) {
  weft::run([] {});
  const footprint before = footprint::now();
  for_every_allocation([&] {
    weft::options wanted;
    wanted.cores = 2;
    try {
      weft::runtime here(wanted);
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {  // Of a thread that could not be made.
    }
    const failing_new::pause no_faults;
    EXPECT_TRUE(eventually([&] { return footprint::now().holds_no_more_than(before); }))
        << footprint::now() << ", but before " << before;
  });
}

}  // namespace
}  // namespace weft_test
