#include "context/exception_state.h"

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

namespace weft::detail {
namespace {

TEST(exception_state, is_empty_outside_of_exceptions) { EXPECT_TRUE(thread_exception_state()->empty()); }

TEST(exception_state, holds_what_is_caught) {
  try {
    throw 1;
  } catch (int) {
    EXPECT_NE(thread_exception_state()->caught, nullptr);
  }
  EXPECT_EQ(thread_exception_state()->caught, nullptr);
}

TEST(exception_state, counts_what_is_in_flight) {
  struct observer {
    ~observer() { seen = thread_exception_state()->uncaught; }
    unsigned& seen;
  };
  unsigned seen = 0;
  try {
    observer const here{seen};
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(seen, 1u);
}

TEST(exception_state, belongs_to_the_thread) {
  exception_state* other = nullptr;
  std::thread([&] { other = thread_exception_state(); }).join();
  EXPECT_NE(other, thread_exception_state());
}

// Two flows of control, each inside a catch block, taking turns on one thread as two fibers would.
TEST(swap_exception_state, lets_two_flows_rethrow_their_own) {
  exception_state& thread = *thread_exception_state();
  exception_state first;
  exception_state second;
  std::string rethrown;
  try {
    throw std::runtime_error("first");
  } catch (std::exception const&) {
    swap_exception_state(thread, first, second);
    EXPECT_EQ(std::current_exception(), nullptr);
    try {
      throw std::runtime_error("second");
    } catch (std::exception const&) {
      swap_exception_state(thread, second, first);
      try {
        throw;
      } catch (std::exception const& seen) {
        rethrown = seen.what();
      }
      swap_exception_state(thread, first, second);
    }
    swap_exception_state(thread, second, first);
    EXPECT_TRUE(second.empty());
  }
  EXPECT_EQ(rethrown, "first");
  EXPECT_TRUE(thread.empty());
}

TEST(swap_exception_state, hides_unwinding_from_the_other_flow) {
  struct switcher {
    ~switcher() {
      exception_state& thread = *thread_exception_state();
      exception_state mine;
      swap_exception_state(thread, mine, exception_state{});
      seen = std::uncaught_exceptions();
      exception_state other;
      swap_exception_state(thread, other, mine);
    }
    int& seen;
  };
  int seen = -1;
  try {
    switcher const here{seen};
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

}  // namespace
}  // namespace weft::detail
