// Faults in system calls and allocations: the n-th one, for every n, or some of them at random by seed.
//
// Table entries have no state, so the plan is one for the process; the calls of all threads are counted together.
#pragma once

#include "support/replaced_system_calls.h"
#include "support/seed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>

namespace weft_test {

// Which of the calls that ask fault_is_due() fail.
struct fault_plan {
  static inline std::atomic<std::uint64_t> calls{0};    // That asked since the plan began.
  static inline std::atomic<std::uint64_t> fail_at{0};  // The one that fails; 0: none.
  static inline std::atomic<std::uint64_t> one_in{0};   // About so many fail at random; 0: none.
  static inline std::atomic<std::uint64_t> seed{0};
  static inline std::atomic<std::uint64_t> failed{0};

  static void none() {
    fail_at = 0;
    one_in = 0;
    calls = 0;
    failed = 0;
  }
};

// Counts the call.
inline bool fault_is_due() noexcept {
  const std::uint64_t at = ++fault_plan::calls;
  const std::uint64_t one_in = fault_plan::one_in;
  bool due = at == fault_plan::fail_at;
  if (one_in != 0) {
    std::uint64_t drawn = (fault_plan::seed + at) * 0x9e3779b97f4a7c15U;
    drawn = (drawn ^ (drawn >> 29)) * 0xbf58476d1ce4e5b9U;
    due = (drawn >> 33) % one_in == 0;
  }
  if (due) ++fault_plan::failed;
  return due;
}

// An entry of the table that fails with `Error` when its time has come, and else does what the kernel does.
template <auto Member, int Error>
struct refusing;

template <class Result, class... Arguments, Result (*weft::detail::system_calls::*Member)(Arguments...) noexcept,
          int Error>
struct refusing<Member, Error> {
  static Result call(Arguments... arguments) noexcept {
    if (fault_is_due()) return -Error;
    return (weft::detail::real_system_calls().*Member)(arguments...);
  }
};

template <auto Member, int Error>
void refuse(weft::detail::system_calls& table) {
  table.*Member = &refusing<Member, Error>::call;
}

// Calls `round()` with the first call failing, then with the second, and so on, until a round makes fewer calls than
// that; `most` rounds at most. Each round must end well by itself, and take back what it took.
template <class Round>
void for_every_fault(std::uint64_t most, Round round) {
  std::uint64_t reached = 0;
  for (std::uint64_t n = 1; n <= most; ++n) {
    fault_plan::none();
    fault_plan::fail_at = n;
    round();
    fault_plan::fail_at = 0;
    // No SCOPED_TRACE: that belongs to a thread, and a fiber may change it.
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "with the fault in call " << n;
      return;
    }
    if (fault_plan::failed == 0) break;
    reached = n;
  }
  EXPECT_GT(reached, 0u) << "no call asked whether to fail";
}

// Calls `round()` while about one in `one_in` calls fails, again where by chance none did; a new seed each time, told on
// failure.
template <class Round>
void with_random_faults(std::uint64_t one_in, Round round) {
  fault_plan::none();
  fault_plan::seed = fresh_seed();
  fault_plan::one_in = one_in;
  for (int i = 0; i < 50 && fault_plan::failed == 0; ++i) round();
  fault_plan::one_in = 0;
  if (::testing::Test::HasFailure()) ADD_FAILURE() << seed_text(fault_plan::seed);
  EXPECT_GT(fault_plan::failed, 0u) << "no call failed";
}

}  // namespace weft_test
