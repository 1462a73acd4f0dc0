// Deadlines that have passed and deadlines that never come, made of every kind of duration and moment, and what a call
// has to do with them.
#pragma once

#include "support/failure_note.h"
#include "support/waiting.h"

#include <functional>
#include <limits>

namespace weft_test {

using steady_moment = std::chrono::steady_clock::time_point;
using seconds_as_real = std::chrono::duration<double>;
using std::numeric_limits;

inline std::vector<weft::deadline> passed() {
  return {weft::deadline(0ns),
          weft::deadline(-1ns),
          weft::deadline(-1h),
          weft::deadline(std::chrono::hours::min()),
          weft::deadline(std::chrono::nanoseconds::min()),
          weft::deadline(seconds_as_real(-0.5)),
          weft::deadline(seconds_as_real(-1e300)),
          weft::deadline(seconds_as_real(-numeric_limits<double>::infinity())),
          weft::deadline(seconds_as_real(numeric_limits<double>::quiet_NaN())),
          weft::deadline(steady_moment::min()),
          weft::deadline(steady_moment()),
          weft::deadline(std::chrono::steady_clock::now() - 1ns)};
}

inline std::vector<weft::deadline> never_to_come() {
  return {weft::deadline(),
          weft::deadline::never(),
          weft::deadline(std::chrono::hours::max()),
          weft::deadline(std::chrono::nanoseconds::max()),
          weft::deadline(std::chrono::duration<std::int64_t, std::ratio<31'556'952>>::max()),
          weft::deadline(seconds_as_real(1e300)),
          weft::deadline(seconds_as_real(numeric_limits<double>::infinity())),
          weft::deadline(std::chrono::duration<float, std::ratio<3600>>(numeric_limits<float>::max())),
          weft::deadline(steady_moment::max()),
          weft::deadline(std::chrono::time_point<std::chrono::steady_clock, seconds_as_real>(seconds_as_real(1e300)))};
}

// A call that gives up at its deadline: whether it got what it waits for, before and after that is there.
struct timed_call {
  const char* name;
  std::function<bool(weft::deadline)> call;
  std::function<void()> provide;
};

inline void expect_as_written(const timed_call& what, bool is_consumed = true) {
  const failure_note said(what.name);
  for (const weft::deadline when : passed()) EXPECT_FALSE(what.call(when));
  for (const weft::deadline when : never_to_come()) {
    EXPECT_TRUE(when.is_never());
    auto waiting = begin_here([&] { return what.call(when); });
    EXPECT_FALSE(waiting.done());
    what.provide();
    EXPECT_TRUE(waiting.join());
    if (!is_consumed) break;
  }
  what.provide();
  if (is_consumed) {
    for (const weft::deadline when : passed()) {
      EXPECT_TRUE(what.call(when)) << "what is there is had without waiting";
      what.provide();
    }
  } else {
    for (const weft::deadline when : passed()) EXPECT_TRUE(what.call(when));
  }
}

}  // namespace weft_test
