// Fibers that are known to wait, and what the tests of synchronisation share.
#pragma once

#include "support/with_cores.h"

#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

namespace weft_test {

// Starts `f` on the core of the caller, and returns once it has come to its first suspension or to its end: fibers of
// one core take turns only there. Requires: the caller stays on its core (weft::pin_guard).
template <class F>
auto begin_here(F f) {
  std::atomic<bool> has_begun{false};
  auto begun = weft::spawn({.core = weft::this_fiber::core()}, [&has_begun, f = std::move(f)]() mutable {
    has_begun = true;
    return f();
  });
  EXPECT_TRUE(yield_until([&] { return has_begun.load(); }));
  // It may have let others run once more before it waits, where it came to the end of a round.
  for (int i = 0; i < 3; ++i) weft::this_fiber::yield();
  return begun;
}

// Whether `f` ended because it was cancelled.
template <class R>
bool ended_cancelled(weft::fiber<R>& f) {
  try {
    f.join();
  } catch (const weft::join_cancelled&) {
    return true;
  }
  return false;
}

template <class Call>
std::error_code error_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// On a plain thread, while fibers go on: the calling fiber yields until it is done.
template <class F>
void on_plain_thread(F f) {
  std::atomic<bool> is_done{false};
  std::thread outside([&] {
    f();
    is_done = true;
  });
  EXPECT_TRUE(yield_until([&] { return is_done.load(); }));
  outside.join();
}

}  // namespace weft_test

// A program that breaks a rule ends with a message: `statement` runs in a process of its own.
#define EXPECT_END(statement, message)              \
  do {                                              \
    GTEST_FLAG_SET(death_test_style, "threadsafe"); \
    EXPECT_DEATH(statement, message);               \
  } while (false)
