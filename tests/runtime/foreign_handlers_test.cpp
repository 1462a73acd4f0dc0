// Handlers of the program that would run on the stack of a fiber.
#include "runtime/report_support.h"

#include <csignal>

using namespace weft_test;

namespace {

__attribute__((noinline)) void handle_plainly(int) { __asm__ __volatile__(""); }

// While one lives, handle_plainly() handles the signal.
class handled {
 public:
  handled(int number, int flags) : number_(number) {
    struct sigaction wanted {};
    wanted.sa_handler = &handle_plainly;
    wanted.sa_flags = flags;
    EXPECT_EQ(sigaction(number, &wanted, &before_), 0);
  }
  ~handled() { sigaction(number_, &before_, nullptr); }
  handled(const handled&) = delete;
  handled& operator=(const handled&) = delete;

 private:
  int number_;
  struct sigaction before_ {};
};

weft::options reporting_to(report_sink& sink) {
  weft::options wanted;
  wanted.cores = 1;
  wanted.watchdog = 0ns;  // It would tell of a thread that does not get its CPU.
  sink.use_in(wanted);
  return wanted;
}

}  // namespace

TEST(foreign_handlers, without_a_stack_of_their_own_are_told_once) {
  const handled plain(SIGFPE, 0);
  report_sink sink;
  weft::run(reporting_to(sink), [] {});
  EXPECT_EQ(sink.count(), 1u) << sink.all();
  EXPECT_TRUE(sink.has("weft: SIGFPE is handled without SA_ONSTACK by ")) << sink.all();
  EXPECT_TRUE(sink.has("handle_plainly")) << sink.all();
  weft::run(reporting_to(sink), [] {});
  EXPECT_EQ(sink.count(), 1u) << sink.all();
}

TEST(foreign_handlers, with_a_stack_of_their_own_are_not_told) {
  const handled on_its_own(SIGTRAP, SA_ONSTACK);
  report_sink sink;
  weft::run(reporting_to(sink), [] {});
  EXPECT_EQ(sink.all(), "");
}

TEST(foreign_handlers, of_signals_that_workers_block_are_not_told) {
  const handled plain(SIGUSR2, 0);
  report_sink sink;
  weft::run(reporting_to(sink), [] {});
  EXPECT_EQ(sink.all(), "");
}

TEST(foreign_handlers, are_not_told_where_the_options_say_so) {
  const handled plain(SIGSYS, 0);
  report_sink sink;
  weft::options wanted = reporting_to(sink);
  wanted.signal_report = false;
  weft::run(wanted, [] {});
  EXPECT_EQ(sink.all(), "");
}

TEST(foreign_handlers, are_found_later_by_the_watchdog) {
  report_sink sink;
  weft::options wanted = reporting_to(sink);
  wanted.watchdog = 1h;
  weft::run(wanted, [&] {
    const handled plain(SIGPROF, 0);
    EXPECT_TRUE(yield_until([&] { return sink.count() != 0; }));
  });
  EXPECT_TRUE(sink.has("weft: SIGPROF is handled without SA_ONSTACK by ")) << sink.all();
}
