// What cancellation promises beyond ending a wait: whom it reaches, whom it names, what it leaves alone.
#include "support/with_cores.h"

#include <weft/net/tcp.h>

#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>

using namespace weft_test;

namespace {

void sleep_for_ever() { weft::this_fiber::sleep_for(std::chrono::hours::max()); }

weft::options with_reports(std::mutex& gate, std::string& told, std::size_t cores) {
  weft::options wanted;
  wanted.cores = cores;
  wanted.on_report = [&](std::string_view text) {
    const std::lock_guard hold(gate);
    told += text;
  };
  return wanted;
}

struct waiting_destructor {
  bool& finished;
  ~waiting_destructor() {
    weft::this_fiber::sleep_for(1ms);
    finished = true;
  }
};

}  // namespace

// --- Swallowing ------------------------------------------------------------------------------------------------------------

TEST(cancel_rules, who_keeps_swallowing_is_named_and_starves_nobody) {
  std::mutex gate;
  std::string told;
  weft::run(with_reports(gate, told, 1), [] {
    std::atomic<bool> began{false};
    std::atomic<bool> enough{false};
    auto deaf = weft::spawn({.name = "deaf"}, [&] {
      began = true;
      while (!enough) {
        try {
          sleep_for_ever();
        } catch (...) {
        }
      }
    });
    auto other = weft::spawn([&] {
      for (int i = 0; i < 5'000; ++i) weft::this_fiber::yield();
    });
    ASSERT_TRUE(yield_until([&] { return began.load(); }));
    deaf.cancel();
    other.join();
    enough = true;
    deaf.join();
  });
  EXPECT_NE(told.find("\"deaf\""), std::string::npos) << told;
  EXPECT_EQ(told.find("swallowed"), told.rfind("swallowed")) << "once is enough: " << told;
}

// --- Other people's cancellation -----------------------------------------------------------------------------------------

WEFT_TEST(cancel_rules, the_cancellation_of_one_fiber_makes_no_other_look_cancelled) {
  std::exception_ptr caught;
  weft::move_on_after(0s, [&] {
    try {
      weft::this_fiber::yield();
    } catch (const weft::cancelled&) {
      caught = std::current_exception();
    }
  });
  auto f = weft::spawn([&] { std::rethrow_exception(caught); });
  EXPECT_THROW(f.join(), weft::join_cancelled);
  auto g = weft::spawn([&] { std::rethrow_exception(caught); });
  ASSERT_TRUE(yield_until([&] { return g.done(); }));
  EXPECT_FALSE(g.cancelled());
  EXPECT_THROW(g.join(), weft::join_cancelled);
}

WEFT_TEST(cancel_rules, the_end_of_a_cancelled_child_does_not_cancel_its_joiner) {
  auto child = weft::spawn(sleep_for_ever);
  child.cancel();
  EXPECT_THROW(child.join(), weft::join_cancelled);
  weft::this_fiber::yield();
}

// --- Destructors -----------------------------------------------------------------------------------------------------------

WEFT_TEST(cancel_rules, a_destructor_may_wait_during_unwinding_and_under_a_shield) {
  bool unwound = false;
  bool shielded = false;
  std::atomic<bool> began{false};
  auto f = weft::spawn([&] {
    struct under_shield {
      bool& finished;
      ~under_shield() {
        weft::shield([&] { weft::this_fiber::sleep_for(1ms); });
        finished = true;
      }
    };
    const waiting_destructor while_unwinding{unwound};
    const under_shield at_any_time{shielded};
    began = true;
    sleep_for_ever();
  });
  ASSERT_TRUE(yield_until([&] { return began.load(); }));
  f.cancel();
  EXPECT_THROW(f.join(), weft::join_cancelled);
  EXPECT_TRUE(unwound);
  EXPECT_TRUE(shielded);
}

TEST(cancel_rules, what_leaves_a_noexcept_function_ends_the_program_by_name) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(weft::run([] {
                 std::atomic<bool> began{false};
                 auto f = weft::spawn({.name = "careless"}, [&] {
                   began = true;
                   try {
                     sleep_for_ever();
                   } catch (...) {  // Not unwinding any more, and still cancelled.
                   }
                   bool finished = false;
                   const waiting_destructor unshielded{finished};
                 });
                 yield_until([&] { return began.load(); });
                 f.cancel();
                 f.join();
               }),
               "careless.*this_fiber::sleep.*noexcept");
}

// --- Calls of sockets under a timeout --------------------------------------------------------------------------------------

WEFT_TEST_EACH_REACTOR(cancel_rules, a_timeout_reaches_every_call_of_a_socket) {
  weft::net::tcp_listener listener(weft::net::endpoint("127.0.0.1:0"));
  EXPECT_THROW(weft::with_timeout(1ms, [&] { static_cast<void>(listener.accept()); }), weft::timed_out);
  auto accepted = weft::spawn([&] { return listener.accept(); });
  weft::net::tcp_stream client = weft::net::tcp_stream::connect(listener.local_endpoint());
  weft::net::tcp_stream server = accepted.join();
  std::array<std::byte, 4096> buffer{};
  EXPECT_THROW(weft::with_timeout(1ms, [&] { static_cast<void>(client.read(buffer)); }), weft::timed_out);
  EXPECT_THROW(weft::with_timeout(5ms,
                                  [&] {
                                    for (;;) client.write(buffer);
                                  }),
               weft::timed_out);
  std::error_code ec;
  weft::move_on_after(1ms, [&] { static_cast<void>(listener.accept(ec)); });
  EXPECT_EQ(ec, std::errc::operation_canceled);
  server.write("still here");
  EXPECT_EQ(client.read(buffer), 10u);
}

// --- Shutdown --------------------------------------------------------------------------------------------------------------

TEST(shutdown, ends_what_can_be_ended_and_lists_the_rest) {
  std::atomic<bool> go{false};
  weft::options wanted;
  wanted.cores = 2;
  weft::runtime here(wanted);
  std::atomic<int> reason{-1};
  auto obedient = here.spawn([&] {
    try {
      sleep_for_ever();
    } catch (const weft::cancelled& cut) {
      reason = static_cast<int>(cut.reason());
      throw;
    }
  });
  std::atomic<bool> shielded{false};
  here.spawn_detached({.name = "stubborn"}, [&] {
    weft::shield([&] {
      shielded = true;
      while (!go) weft::this_fiber::sleep_for(1ms);
    });
  });
  ASSERT_TRUE(eventually([&] { return shielded.load(); }));
  here.shutdown(0s);
  EXPECT_THROW(obedient.join(), weft::join_cancelled);
  std::vector<weft::unfinished_fiber> left = here.shutdown(20ms);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, "stubborn");
  EXPECT_NE(left[0].file.find("cancel_rules_test"), std::string::npos) << left[0].file;
  EXPECT_NE(left[0].line, 0u);
  EXPECT_FALSE(left[0].state.empty());
  go = true;
  EXPECT_TRUE(here.shutdown(60s).empty());
  EXPECT_TRUE(reason == -1 || reason == static_cast<int>(weft::cancel_reason::shutdown));
  auto late = here.spawn([] { ADD_FAILURE() << "born cancelled, it never runs"; });
  EXPECT_THROW(late.join(), weft::join_cancelled);
}

TEST(shutdown, inside_of_its_own_fiber_is_an_error) {
  weft::runtime here(setting{1}.options());
  auto f = here.spawn([&] { here.shutdown(1s); });
  EXPECT_THROW(f.join(), std::system_error);
}
