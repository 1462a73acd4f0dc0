// Trees of children in which some sleep until they are cancelled, and others wait, under shields, for just that: they end
// only if every cancellation reaches every sleeper, whoever is called on whose stack.
#include "stress/stress.h"
#include "support/sleep_until_told.h"

#include <chrono>

using namespace weft_test;

namespace {

void grow_inside(std::uint64_t seed, int depth);

// Ends when it is cancelled.
void grow(std::uint64_t seed, int depth) {
  std::mt19937_64 random(seed);
  weft::event sleeps, told;
  const auto sleeper = [&] { sleep_until_told(sleeps, told); };
  const auto guardian = [&] {
    sleeps.wait();
    weft::shield([&] { told.wait(); });
  };
  const auto subtree = [&, inner = random()] { grow_inside(inner, depth - 1); };
  if (random() % 2 == 0) {
    random() % 2 == 0 ? weft::gather(guardian, sleeper, subtree) : weft::gather(subtree, guardian, sleeper);
    return;
  }
  const bool is_guardian_last = random() % 2 == 0;
  weft::with_scope([&](weft::scope& crew) {
    if (!is_guardian_last) crew.spawn(guardian);
    crew.spawn(sleeper);
    crew.spawn(subtree);
    if (is_guardian_last) crew.spawn(guardian);
  });
}

void grow_inside(std::uint64_t seed, int depth) {
  if (depth <= 0) {
    weft::this_fiber::sleep_for(std::chrono::hours::max());
  } else if (seed % 4 == 0) {  // One that nothing outside cancels, so that it needs a limit of its own.
    weft::shield([&] { weft::move_on_after(std::chrono::microseconds(seed % 300), [&] { grow(seed, depth); }); });
    weft::this_fiber::sleep_for(std::chrono::hours::max());
  } else {
    grow(seed, depth);
  }
}

}  // namespace

TEST(call_chain_stress, every_cancellation_reaches_every_sleeper) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(500, 1, [&](auto& random) {
      const std::uint64_t seed = random();
      const std::chrono::microseconds limit(random() % 300);
      const bool is_handle = random() % 2 == 0;
      auto root = here.spawn([&] {
        if (is_handle) {
          grow(seed, 4);
        } else {
          weft::move_on_after(limit, [&] { grow(seed, 4); });
        }
      });
      if (is_handle) {
        while (random() % 3 != 0) std::this_thread::yield();
        root.cancel();
      }
      try {
        root.join();
      } catch (const weft::join_cancelled&) {
      }
    });
    expect_nothing_left(here);
  });
}
