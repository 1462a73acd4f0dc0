// A dump stops nobody: what it reads of a fiber may belong to its next wait already, or to the next fiber in its place. It
// has to notice, while fibers change as fast as they can.
#include "runtime/report_support.h"

#include <algorithm>
#include <atomic>

using namespace weft_test;

namespace {

__attribute__((noinline)) void wait_for_a_permit(weft::semaphore& permits) {
  permits.acquire();
  __asm__ __volatile__("");
}

__attribute__((noinline)) void wait_for_a_turn(weft::auto_reset_event& turn) {
  turn.wait();
  __asm__ __volatile__("");
}

bool is_inside(const weft::fiber_dump& f, const char* function) {
  return std::any_of(f.backtrace.begin(), f.backtrace.end(),
                     [&](const std::string& frame) { return contains(frame, function); });
}

weft::options on_one_core() {
  weft::options wanted;
  wanted.cores = 1;
  return wanted;
}

}  // namespace

TEST(dump, mixes_no_two_waits_of_a_fiber) {
  weft::runtime here(on_one_core());
  weft::semaphore permits(0);
  weft::auto_reset_event turn;
  std::atomic<bool> is_over{false};
  auto waits = here.spawn({.name = "waits"}, [&] {
    while (!is_over) {
      wait_for_a_permit(permits);
      wait_for_a_turn(turn);
    }
  });
  auto wakes = here.spawn({.name = "wakes"}, [&] {
    for (unsigned round = 0; !is_over; ++round) {
      weft::this_fiber::sleep_for(std::chrono::microseconds(round % 16 * 10));  // About as long as a look takes.
      round % 2 == 0 ? permits.release() : turn.set();
    }
    permits.release();
    turn.set();
  });
  for (std::size_t seen = 0; seen < repeated(50, 10) && !HasFailure();) {
    const weft::runtime_dump all = here.dump();
    const weft::fiber_dump* const f = named(all, "waits");
    if (f == nullptr || f->state != weft::fiber_state::waiting) continue;
    ++seen;
    const bool in_semaphore = contains(f->waits_in, "semaphore");
    EXPECT_TRUE(is_inside(*f, in_semaphore ? "wait_for_a_permit" : "wait_for_a_turn")) << all.text();
    EXPECT_FALSE(is_inside(*f, in_semaphore ? "wait_for_a_turn" : "wait_for_a_permit")) << all.text();
  }
  is_over = true;
  waits.join();
  wakes.join();
}

TEST(dump, takes_no_fiber_for_its_successor) {
  const auto left = weft::source_location::current();
  const auto right = weft::source_location::current();
  weft::runtime here(on_one_core());
  std::atomic<bool> is_over{false};
  auto churn = here.spawn([&] {
    while (!is_over) {
      weft::spawn(
          {.name = "left"}, [] { weft::this_fiber::yield(); }, left)
          .join();
      weft::spawn(
          {.name = "right"}, [] { weft::this_fiber::yield(); }, right)
          .join();
    }
  });
  for (std::size_t seen = 0; seen < repeated(1'000, 50) && !HasFailure();) {
    const weft::runtime_dump all = here.dump();
    for (const weft::fiber_dump& f : all.fibers) {
      if (f.line != left.line() && f.line != right.line()) continue;
      ++seen;
      EXPECT_EQ(f.name, f.line == left.line() ? "left" : "right") << all.text();
    }
  }
  is_over = true;
  churn.join();
}
