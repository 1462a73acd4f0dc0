// A fiber that needs more stack than it has dies by name. Each case is a process of its own.
#include "runtime/report_support.h"
#include "support/replaced_system_calls.h"

#include <cerrno>
#include <csignal>

using namespace weft_test;

namespace {

// Under a sanitizer its own handler comes after weft's, and ends the process in its own way.
bool died_of_fault(int status) { return is_instrumented ? status != 0 : testing::KilledBySignal(SIGSEGV)(status); }

volatile int deepest = 1 << 30;
volatile std::uintptr_t nowhere = 64;

__attribute__((noinline)) int go_deeper(int depth) {
  volatile char frame[256];
  frame[0] = static_cast<char>(depth);
  const int below = depth < deepest ? go_deeper(depth + 1) : 0;
  return below + frame[0];
}

// The frame is larger than what is left, and its first touch lies far below.
__attribute__((noinline, no_sanitize("address"))) int take_a_large_frame(int value) {
  volatile char frame[60 * 1024];
  frame[64] = static_cast<char>(value);
  return frame[64];
}

__attribute__((noinline)) int take_two_large_frames(int value) {
  volatile char frame[8 * 1024];
  frame[0] = static_cast<char>(value);
  return take_a_large_frame(value) + frame[0];
}

template <class F>
void run_deep(F f) {
  weft::run([&] { weft::spawn({.name = "deep"}, f).join(); });
}

void say(const char* text) { weft::detail::sys().write(2, text, std::char_traits<char>::length(text)); }

void foreign_handler(int number, siginfo_t*, void*) {
  say("the foreign handler was called\n");
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  sigaction(number, &plain, nullptr);
}

struct sigaction replaced {};

void chaining_handler(int number, siginfo_t* info, void* context) {
  say("the later handler was called\n");
  replaced.sa_sigaction(number, info, context);
}

void install(void (*handler)(int, siginfo_t*, void*), struct sigaction* before) {
  struct sigaction wanted {};
  wanted.sa_flags = SA_SIGINFO | SA_ONSTACK;
  wanted.sa_sigaction = handler;
  ASSERT_EQ(sigaction(SIGSEGV, &wanted, before), 0);
}

constexpr const char* what_is_said =
    "weft: stack overflow: fiber [0-9]+ \"deep\", spawned at .*overflow_test.cpp:[0-9]+, needs more than the [0-9]+ "
    "bytes of its stack.*on core [0-9]+.*go_deeper.*more";

#define EXPECT_OVERFLOW(statement, message)         \
  do {                                              \
    GTEST_FLAG_SET(death_test_style, "threadsafe"); \
    EXPECT_EXIT(statement, died_of_fault, message); \
  } while (false)

}  // namespace

TEST(overflow, names_fiber_site_size_and_frames) {
  EXPECT_OVERFLOW(run_deep([] { go_deeper(0); }), what_is_said);
}

TEST(overflow, is_found_with_guards_of_the_other_kind) {
  const auto without_guard_advice = [] {
    const replaced_system_calls old_kernel([](weft::detail::system_calls& table) {
      table.madvise = [](void* address, std::size_t size, int advice) noexcept {
        return advice == 102 ? -EINVAL : weft::detail::real_system_calls().madvise(address, size, advice);
      };
    });
    run_deep([] { go_deeper(0); });
  };
  EXPECT_OVERFLOW(without_guard_advice(), what_is_said);
}

TEST(overflow, is_found_where_one_frame_is_60_kib) {
  EXPECT_OVERFLOW(run_deep([] { take_two_large_frames(1); }),
                  "stack overflow: fiber [0-9]+ \"deep\".*take_a_large_frame");
}

TEST(overflow, is_told_before_a_handler_from_before) {
  const auto with_handler = [] {
    install(&foreign_handler, nullptr);
    run_deep([] { go_deeper(0); });
  };
  EXPECT_OVERFLOW(with_handler(), "stack overflow: fiber.*the foreign handler was called");
}

TEST(overflow, is_told_when_a_later_handler_passes_the_signal_on) {
  const auto with_handler = [] {
    run_deep([] {
      install(&chaining_handler, &replaced);
      go_deeper(0);
    });
  };
  EXPECT_OVERFLOW(with_handler(), "the later handler was called.*stack overflow: fiber");
}

TEST(overflow, is_not_told_where_the_options_say_so) {
  const auto silent = [] {
    weft::options wanted;
    wanted.overflow_report = false;
    weft::run(wanted, [] {
      struct sigaction now {};
      sigaction(SIGSEGV, nullptr, &now);
      if ((now.sa_flags & SA_SIGINFO) == 0 || is_instrumented) say("no handler\n");
    });
    std::raise(SIGKILL);
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(silent(), testing::KilledBySignal(SIGKILL), "no handler");
}

TEST(overflow, leaves_other_faults_to_the_handler_from_before) {
  const auto stray = [] {
    install(&foreign_handler, nullptr);
    run_deep([] { *static_cast<volatile int*>(reinterpret_cast<void*>(nowhere)) = 1; });
  };
  EXPECT_OVERFLOW(stray(), "^(weft: chaos build[^\n]*\n)?the foreign handler was called");
}

TEST(overflow, handler_goes_with_the_last_runtime) {
  struct sigaction before {
  }, during{}, after{};
  sigaction(SIGSEGV, nullptr, &before);
  weft::run([&] { sigaction(SIGSEGV, nullptr, &during); });
  sigaction(SIGSEGV, nullptr, &after);
  EXPECT_NE(during.sa_sigaction, before.sa_sigaction);
  EXPECT_EQ(after.sa_sigaction, before.sa_sigaction);
}

WEFT_TEST(stack_usage, grows_with_the_frames_in_use) {
  const weft::this_fiber::stack_usage shallow = weft::this_fiber::stack_usage_now();
  const auto deeper = [] {
    volatile char frame[4096];
    frame[0] = 1;
    return weft::this_fiber::stack_usage_now().used_bytes + static_cast<std::size_t>(frame[0] - 1);
  };
  EXPECT_GT(shallow.used_bytes, 0u);
  EXPECT_GE(shallow.size_bytes, std::size_t{60} << 10);
  if (!is_instrumented) {  // AddressSanitizer keeps frames elsewhere.
    EXPECT_GE(deeper(), shallow.used_bytes + 4096);
  }
}
