#include "platform/signal_hook.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "support/replaced_system_calls.h"

namespace {

using namespace weft::detail;

std::string calls;

void forget_calls() {
  calls.clear();
  calls.reserve(100);  // A handler may not allocate.
}

void note(const signal_event& event) noexcept {
  calls += event.number == SIGUSR1 && event.is_sent ? "hook " : "what? ";
}

void plain_handler(int number) { calls += number == SIGUSR1 ? "plain " : "what? "; }
void knowing_handler(int number, siginfo_t* info, void*) { calls += info->si_signo == number ? "knowing " : "what? "; }

// While one lives, SIGUSR1 is handled so.
class handled {
 public:
  explicit handled(void (*handler)(int)) {
    wanted_.sa_handler = handler;
    sigaction(SIGUSR1, &wanted_, &before_);
  }
  explicit handled(void (*handler)(int, siginfo_t*, void*)) {
    wanted_.sa_flags = SA_SIGINFO;
    wanted_.sa_sigaction = handler;
    sigaction(SIGUSR1, &wanted_, &before_);
  }
  ~handled() { sigaction(SIGUSR1, &before_, nullptr); }
  handled(const handled&) = delete;
  handled& operator=(const handled&) = delete;

  static void (*now())(int) {
    struct sigaction found {};
    sigaction(SIGUSR1, nullptr, &found);
    return found.sa_handler;
  }

 private:
  struct sigaction wanted_ {};
  struct sigaction before_ {};
};

TEST(signal_hook, comes_before_the_handler_from_before) {
  forget_calls();
  const handled before(&plain_handler);
  ASSERT_EQ(hook_signal(SIGUSR1, &note), 0);
  std::raise(SIGUSR1);
  EXPECT_EQ(calls, "hook plain ");
  unhook_signal(SIGUSR1);
  EXPECT_EQ(handled::now(), &plain_handler);
  std::raise(SIGUSR1);
  EXPECT_EQ(calls, "hook plain plain ");
}

TEST(signal_hook, passes_on_what_a_handler_wants_to_know) {
  forget_calls();
  const handled before(&knowing_handler);
  ASSERT_EQ(hook_signal(SIGUSR1, &note), 0);
  std::raise(SIGUSR1);
  unhook_signal(SIGUSR1);
  EXPECT_EQ(calls, "hook knowing ");
}

TEST(signal_hook, is_alone_where_the_signal_was_ignored) {
  forget_calls();
  const handled before(SIG_IGN);
  ASSERT_EQ(hook_signal(SIGUSR1, &note), 0);
  std::raise(SIGUSR1);
  unhook_signal(SIGUSR1);
  EXPECT_EQ(calls, "hook ");
  EXPECT_EQ(handled::now(), SIG_IGN);
}

TEST(signal_hook, stays_until_its_last_user_goes) {
  forget_calls();
  const handled before(&plain_handler);
  ASSERT_EQ(hook_signal(SIGUSR1, &note), 0);
  ASSERT_EQ(hook_signal(SIGUSR1, &note), 0);
  unhook_signal(SIGUSR1);
  std::raise(SIGUSR1);
  EXPECT_EQ(calls, "hook plain ");
  unhook_signal(SIGUSR1);
  unhook_signal(SIGUSR1);  // Once too often is harmless.
  EXPECT_EQ(handled::now(), &plain_handler);
}

TEST(signal_hook, leaves_a_later_handler_in_place_and_comes_back_through_it) {
  forget_calls();
  const handled before(&plain_handler);
  ASSERT_EQ(hook_signal(SIGUSR1, &note), 0);
  {
    const handled later(&knowing_handler);
    unhook_signal(SIGUSR1);
    std::raise(SIGUSR1);
    EXPECT_EQ(calls, "knowing ");
  }
  std::raise(SIGUSR1);  // Ours again, without a hook.
  EXPECT_EQ(calls, "knowing plain ");
  ASSERT_EQ(hook_signal(SIGUSR1, &note), 0);
  std::raise(SIGUSR1);
  EXPECT_EQ(calls, "knowing plain hook plain ");
  unhook_signal(SIGUSR1);
  EXPECT_EQ(handled::now(), &plain_handler);
}

TEST(signal_hook, that_the_system_refuses_is_an_error_and_not_there) {
  forget_calls();
  const handled before(&plain_handler);
  {
    const weft_test::replaced_system_calls table([](system_calls& entries) {
      entries.sigaction = [](int, const struct sigaction*, struct sigaction*) noexcept { return -EINVAL; };
    });
    EXPECT_EQ(hook_signal(SIGUSR1, &note), EINVAL);
    EXPECT_EQ(handler_without_stack(SIGUSR1), nullptr);
  }
  std::raise(SIGUSR1);
  EXPECT_EQ(calls, "plain ");
  EXPECT_NE(handler_without_stack(SIGUSR1), nullptr);
}

// What is sent does not come again by itself, as a fault does.
TEST(signal_hook, lets_a_fault_without_handler_end_the_process) {
  const auto hooked = [](auto cause) {
    std::signal(SIGSEGV, SIG_DFL);  // A sanitizer has one.
    hook_signal(SIGSEGV, [](const signal_event&) noexcept {});
    cause();
    std::_Exit(0);
  };
  EXPECT_EXIT(hooked([] { std::raise(SIGSEGV); }), ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
