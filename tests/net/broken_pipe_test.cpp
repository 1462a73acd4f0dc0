// Writing to a peer that is gone: an error of the call, and never a signal, neither now nor later. In a child of its own,
// where SIGPIPE has its default effect, whatever the test program inherited.
#include "net/loopback.h"

#include <fcntl.h>
#include <signal.h>

#include <cstdlib>

namespace weft_test {
namespace {

sigset_t broken_pipe_alone() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

// Workers block SIGPIPE, and would hide what is raised.
void let_it_through() {
  const sigset_t set = broken_pipe_alone();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool is_waiting_to_be_let_through() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

// Writes by `write` until the answer of the closed peer has come. Ends the process with 0 if that was an error.
template <class Write>
[[noreturn]] void write_to_nobody(Write write) {
  signal(SIGPIPE, SIG_DFL);
  let_it_through();
  weft::options wanted;
  wanted.cores = 1;
  const bool is_broken = weft::run(wanted, [&] {
    auto [client, server] = connect_pair();
    server.set_options({.reset_on_close = true});
    server.close();
    std::error_code ec;
    const bool was_broken = yield_until([&] {
      write(client, ec);
      return ec == std::errc::broken_pipe;  // After the reset was reported once, as such.
    });
    if (is_waiting_to_be_let_through()) std::_Exit(2);
    return was_broken;
  });
  std::_Exit(is_broken ? 0 : 1);
}

class broken_pipe : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(broken_pipe, is_an_error_of_write) {
  EXPECT_EXIT(write_to_nobody([](tcp_stream& to, std::error_code& ec) {
                let_it_through();
                to.write("x", ec);
              }),
              ::testing::ExitedWithCode(0), "");
}

TEST_F(broken_pipe, is_an_error_of_write_ahead) {
  EXPECT_EXIT(write_to_nobody([](tcp_stream& to, std::error_code& ec) {
                let_it_through();
                to.write_ahead(bytes("x"), ec);
              }),
              ::testing::ExitedWithCode(0), "");
}

TEST_F(broken_pipe, is_an_error_of_write_some) {
  EXPECT_EXIT(write_to_nobody([](tcp_stream& to, std::error_code& ec) {
                let_it_through();
                to.write_some(bytes("x"), ec);
              }),
              ::testing::ExitedWithCode(0), "");
}

TEST_F(broken_pipe, is_an_error_of_gathering_write) {
  EXPECT_EXIT(write_to_nobody([](tcp_stream& to, std::error_code& ec) {
                let_it_through();
                const std::vector<std::span<const std::byte>> parts{bytes("x"), bytes("y")};
                to.write(parts, ec);
              }),
              ::testing::ExitedWithCode(0), "");
}

TEST_F(broken_pipe, is_an_error_of_send_file) {
  EXPECT_EXIT(write_to_nobody([](tcp_stream& to, std::error_code& ec) {
                static const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
                to.send_file(file, 0, 100, ec);
              }),
              ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace weft_test
