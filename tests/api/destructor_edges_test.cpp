// Destructors that wait in a fiber that is being cancelled: which forms are safe where, and what names the one that is
// not.
#include "support/waiting.h"

#include <weft/net/tcp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <system_error>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

struct at_end {
  std::function<void()> f;
  ~at_end() { f(); }
};

// Cancels a fiber that swallows it, and then destroys something that waits by `f`.
void destroy_while_cancelled(const std::function<void()>& f) {
  std::atomic<bool> began{false};
  auto careless = weft::spawn({.name = "careless"}, [&] {
    began = true;
    try {
      sleep_for_ever();
    } catch (...) {  // Not unwinding any more, and still cancelled.
    }
    const at_end waits{f};
  });
  EXPECT_TRUE(yield_until([&] { return began.load(); }));
  careless.cancel();
  careless.join();
}

}  // namespace

WEFT_TEST(destructor_edges, the_form_with_an_error_code_is_safe_anywhere) {
  weft::net::tcp_listener listener(weft::net::endpoint("127.0.0.1:0"));
  std::error_code at_any_time, while_unwinding;
  destroy_while_cancelled([&] { static_cast<void>(listener.accept(at_any_time)); });
  EXPECT_EQ(at_any_time, std::errc::operation_canceled);
  weft::move_on_after(0s, [&] {
    const at_end waits{[&] { static_cast<void>(listener.accept(while_unwinding, 1ms)); }};
    weft::this_fiber::yield();
  });
  EXPECT_EQ(while_unwinding, std::errc::timed_out) << "not cut short while unwinding";
}

WEFT_TEST(destructor_edges, a_shield_is_safe_anywhere) {
  int finished = 0;
  destroy_while_cancelled([&] {
    weft::shield([&] {
      weft::this_fiber::sleep_for(50us);
      weft::spawn([&] { ++finished; }).join();
    });
  });
  EXPECT_EQ(finished, 1);
}

WEFT_TEST(destructor_edges, handles_and_scopes_of_weft_are_safe_anywhere) {
  std::atomic<int> ended{0};
  destroy_while_cancelled([&] {
    const auto part = [&] {
      const at_end counts{[&] { ++ended; }};
      sleep_for_ever();
    };
    std::atomic<int> began{0};
    auto handle = weft::spawn([&] {
      ++began;
      part();
    });
    weft::scope crew;
    crew.spawn([&] {
      ++began;
      part();
    });
    weft::shield([&] { yield_until([&] { return began == 2; }); });
  });
  EXPECT_EQ(ended, 2);
}

// A stream of the standard library swallows what its buffer throws, and only marks itself bad.
WEFT_TEST(destructor_edges, a_library_that_swallows_only_delays_the_end) {
  struct waiting_buffer : std::stringbuf {
    int_type overflow(int_type c) override {
      weft::this_fiber::yield();
      return c;
    }
    std::streamsize xsputn(const char*, std::streamsize n) override {
      weft::this_fiber::yield();
      return n;
    }
  };
  waiting_buffer buffer;
  std::ostream out(&buffer);
  bool is_bad = false;
  EXPECT_FALSE(weft::move_on_after(0s, [&] {
    out << "text";
    is_bad = out.bad();
    weft::this_fiber::yield();
    ADD_FAILURE();
  }));
  EXPECT_TRUE(is_bad);
}

TEST(destructor_edges, one_that_lets_cancellation_out_ends_the_program_by_fiber_and_call) {
  const auto careless = [](const std::function<void()>& f) {
    weft::run(setting{1}.options(), [&] { destroy_while_cancelled(f); });
  };
  EXPECT_END(careless([] {
               weft::event never;
               never.wait();
             }),
             "careless.*event::wait.*noexcept");
  EXPECT_END(careless([] { weft::spawn(sleep_for_ever).join(); }), "careless.*fiber::join.*noexcept");
}
