#include "platform/thread.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <cfenv>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

#include "support/replaced_system_calls.h"
#include "support/with_cores.h"

namespace {

using namespace weft::detail;

std::string name_seen_by_thread(const char* name) {
  char seen[64] = {};
  native_thread thread(name, [&] { pthread_getname_np(pthread_self(), seen, sizeof(seen)); });
  thread.join();
  return seen;
}

TEST(native_thread, carries_its_name_cut_to_what_the_kernel_keeps) {
  EXPECT_EQ(name_seen_by_thread("weft/core-3"), "weft/core-3");
  EXPECT_EQ(name_seen_by_thread("a-name-that-is-too-long"), "a-name-that-is-");
}

TEST(native_thread, starts_with_asynchronous_signals_blocked) {
  sigset_t mask;
  native_thread thread("mask", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
  thread.join();
  for (const int blocked : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE, SIGALRM, SIGWINCH}) {
    EXPECT_EQ(sigismember(&mask, blocked), 1) << strsignal(blocked);
  }
  for (const int open : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
    EXPECT_EQ(sigismember(&mask, open), 0) << strsignal(open);
  }
}

TEST(native_thread, leaves_the_mask_of_its_creator_alone) {
  sigset_t before;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  native_thread thread("mask", [] {});
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  thread.join();
  EXPECT_EQ(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

TEST(native_thread, knows_itself_and_moves) {
  native_thread none;
  EXPECT_FALSE(none.joinable());
  EXPECT_FALSE(none.is_current());
  native_thread first("moved", [] {});
  EXPECT_FALSE(first.is_current());
  native_thread second(std::move(first));
  EXPECT_FALSE(first.joinable());  // NOLINT: the moved-from state is the claim.
  EXPECT_TRUE(second.joinable());
  none = std::move(second);
  none.join();
  EXPECT_FALSE(none.joinable());
}

TEST(native_thread, that_cannot_start_is_an_error_with_its_name) {
  pthread_attr_t usual;
  pthread_attr_t huge;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  pthread_attr_init(&huge);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, std::size_t{1} << 47), 0);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  try {
    native_thread thread("worker-7", [] {});
    thread.join();
    ADD_FAILURE() << "a stack of 128 TiB was found";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("worker-7"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("pthread_create"), std::string::npos) << error.what();
  }
  pthread_setattr_default_np(&usual);
}

TEST(native_thread, is_among_the_threads_that_the_process_counts) {
  // The kernel takes a joined thread off the list a moment later.
  const auto are_all_counted = [] {
    const auto listed = static_cast<std::size_t>(weft_test::footprint::entries_of("/proc/self/task"));
    return listed >= 1 && process_threads() == listed;
  };
  const std::size_t ours = native_threads();
  EXPECT_TRUE(weft_test::eventually(are_all_counted));
  std::atomic<bool> enough{false};
  native_thread thread("one-more", [&] {
    while (!enough) std::this_thread::yield();
  });
  EXPECT_TRUE(weft_test::eventually(are_all_counted));
  EXPECT_GE(process_threads(), 2u);
  EXPECT_EQ(native_threads(), ours + 1);
  enough = true;
  thread.join();
  EXPECT_EQ(native_threads(), ours);
}

TEST(native_thread, are_none_where_the_system_does_not_tell) {
  const weft_test::replaced_system_calls table(
      [](system_calls& calls) { calls.open = [](const char*, int, mode_t) noexcept { return -EMFILE; }; });
  EXPECT_EQ(process_threads(), 0u);
}

TEST(native_thread, dropped_without_a_join_terminates) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH({ native_thread thread("dropped", [] {}); }, "");
}

TEST(affinity, a_pin_takes_and_gives_back) {
  const cpu_set all = original_affinity();
  cpu_set pinned;
  cpu_set unpinned;
  int errors = 0;
  native_thread thread("pinned", [&] {
    errors |= pin_this_thread(std::span(&all.back(), 1));
    pinned = current_affinity();
    errors |= unpin_this_thread();
    unpinned = current_affinity();
  });
  thread.join();
  EXPECT_EQ(errors, 0);
  EXPECT_EQ(pinned, cpu_set{all.back()});
  EXPECT_EQ(unpinned, all);
}

TEST(affinity, nonsense_is_refused) {
  EXPECT_EQ(pin_this_thread({}), EINVAL);
  const int beyond[] = {8191, 1'000'000, -4};
  EXPECT_EQ(pin_this_thread(beyond), EINVAL);
}

TEST(affinity, original_is_what_was_there_before_any_pin) {
  cpu_set seen;
  native_thread thread("pinned", [&] {
    const cpu_set one{original_affinity().front()};
    pin_this_thread(one);
    seen = original_affinity();
  });
  thread.join();
  EXPECT_EQ(seen, current_affinity());
  EXPECT_FALSE(seen.empty());
}

TEST(affinity, an_error_of_the_kernel_is_handed_on) {
  const weft_test::replaced_system_calls table([](system_calls& calls) {
    calls.sched_setaffinity = [](pid_t, std::size_t, const cpu_set_t*) noexcept { return -EPERM; };
    calls.sched_getaffinity = [](pid_t, std::size_t, cpu_set_t*) noexcept { return -ENOSYS; };
  });
  const int cpu = 0;
  EXPECT_EQ(pin_this_thread(std::span(&cpu, 1)), EPERM);
  EXPECT_TRUE(current_affinity().empty());
}

TEST(float_control, is_set_back_to_what_a_program_starts_with) {
  int rounding = -1;
  native_thread thread("rounding", [&] {
    std::fesetround(FE_UPWARD);
    set_default_float_control();
    rounding = std::fegetround();
  });
  thread.join();
  EXPECT_EQ(rounding, FE_TONEAREST);
}

TEST(float_control, keeps_denormals) {
#ifdef __x86_64__
  __builtin_ia32_ldmxcsr(0x1F80 | 0x8040);  // Flush to zero, denormals are zero.
  set_default_float_control();
  EXPECT_EQ(__builtin_ia32_stmxcsr() & ~0x3Fu, 0x1F80u);
#endif
  volatile float tiny = 1e-38f;
  EXPECT_GT(tiny / 10, 0.0f);
}

TEST(hypervisor, answers_the_same_every_time) { EXPECT_EQ(under_hypervisor(), under_hypervisor()); }

}  // namespace
