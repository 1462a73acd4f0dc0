// A listener in a process without descriptors or memory, and connections that fail before they are taken.
#include "net/loopback.h"
#include "support/replaced_system_calls.h"

#include <weft/detail/atomic.h>

#include <netinet/in.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

namespace weft_test {
namespace {

using weft::detail::atomic;
using weft::detail::relaxed;

// The next `failures` calls of accept4 end with `failure_error` and take nothing.
atomic<int> calls{0};
atomic<int> failures{0};
atomic<int> failure_error{0};

class failing_accept {
 public:
  failing_accept(int error, int count) {
    calls.store(0, relaxed);
    failures.store(count, relaxed);
    failure_error.store(error, relaxed);
  }

 private:
  replaced_system_calls replaced_{[](weft::detail::system_calls& table) {
    table.accept4 = [](int fd, sockaddr* address, socklen_t* size, int flags) noexcept {
      if (calls.fetch_add(1, relaxed) < failures.load(relaxed)) return -failure_error.load(relaxed);
      return weft::detail::real_system_calls().accept4(fd, address, size, flags);
    };
  }};
};

TEST(accept_back_off, doubles_from_the_first_to_the_last) {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    const failing_accept failing(error, 6);
    weft::run([] {
      tcp_listener listener(any_port(), {.first_backoff = 1ms, .last_backoff = 8ms});
      const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_TRUE(listener.accept(patience).is_open());
      EXPECT_GE(std::chrono::steady_clock::now() - begin, 1ms + 2ms + 4ms + 8ms + 8ms + 8ms);
      EXPECT_EQ(calls.load(relaxed), 7);
    });
  }
}

TEST(accept_back_off, ends_with_the_listener) {
  const failing_accept failing(EMFILE, 1'000'000);
  weft::run([] {
    tcp_listener listener(any_port(), {.first_backoff = 1h, .last_backoff = 1h});
    const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    std::vector<weft::fiber<std::error_code>> accepting;
    for (int i = 0; i < 3; ++i) {
      accepting.push_back(weft::spawn([&] {
        std::error_code ec;
        listener.accept(ec);
        return ec;
      }));
    }
    while (calls.load(relaxed) == 0) weft::this_fiber::yield();
    listener.close();
    for (auto& fiber : accepting) EXPECT_EQ(fiber.join(), std::errc::bad_file_descriptor);
    EXPECT_EQ(calls.load(relaxed), 1);
  });
}

TEST(accept_back_off, ends_at_the_deadline) {
  const failing_accept failing(EMFILE, 1'000'000);
  weft::run([] {
    tcp_listener listener(any_port(), {.first_backoff = 1h, .last_backoff = 1h});
    const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    EXPECT_EQ(failure_of([&] { (void)listener.accept(10ms); }).code(), std::errc::timed_out);
  });
}

TEST(accept_back_off, ends_when_its_fiber_is_cancelled) {
  const failing_accept failing(EMFILE, 1'000'000);
  weft::run([] {
    tcp_listener listener(any_port(), {.first_backoff = 1h, .last_backoff = 1h});
    const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    auto accepting = weft::spawn([&] { (void)listener.accept(); });
    while (calls.load(relaxed) == 0) weft::this_fiber::yield();
    accepting.cancel();
    EXPECT_THROW(accepting.join(), weft::join_cancelled);
    failures.store(0, relaxed);
    EXPECT_TRUE(listener.accept(patience).is_open()) << "and the connection waits for the next";
  });
}

TEST(accept, skips_connections_that_failed_before_they_were_taken) {
  for (const int error : {ECONNABORTED, EPROTO, ENETUNREACH, EHOSTDOWN}) {
    const failing_accept failing(error, 3);
    weft::run([] {
      tcp_listener listener(any_port(), {.first_backoff = 1h, .last_backoff = 1h});
      const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
      EXPECT_TRUE(listener.accept(patience).is_open());
      EXPECT_EQ(calls.load(relaxed), 4);
    });
  }
}

TEST(accept, passes_other_errors_on) {
  const failing_accept failing(ENOTSOCK, 1);
  weft::run([] {
    tcp_listener listener(any_port());
    const tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    EXPECT_EQ(failure_of([&] { (void)listener.accept(patience); }).code(), std::errc::not_a_socket);
    EXPECT_TRUE(listener.accept(patience).is_open());
  });
}

// Takes every number that the process may still have.
class no_descriptors_left {
 public:
  no_descriptors_left() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = static_cast<rlim_t>(open_descriptors() + 16);
    setrlimit(RLIMIT_NOFILE, &low);
    const auto& kernel = weft::detail::real_system_calls();
    for (int fd = kernel.fcntl(0, F_DUPFD_CLOEXEC, 0); fd >= 0; fd = kernel.fcntl(0, F_DUPFD_CLOEXEC, 0)) {
      taken_.push_back(fd);
    }
  }
  ~no_descriptors_left() {
    for (const int fd : taken_) weft::detail::real_system_calls().close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  no_descriptors_left(const no_descriptors_left&) = delete;
  no_descriptors_left& operator=(const no_descriptors_left&) = delete;

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

// A connection is asked for while no descriptor is left: its socket was made before.
class raw_client {
 public:
  raw_client() : fd_(weft::detail::sys().socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  ~raw_client() { weft::detail::sys().close(fd_); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void connect(const endpoint& where) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(where.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int result = weft::detail::sys().connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    EXPECT_TRUE(result == 0 || result == -EINPROGRESS) << result;
  }

 private:
  int fd_;
};

// As many as a listener with the usual options makes in so much time: it holds off after each, for 5 ms after the first
// and twice as long from one to the next.
int calls_within(std::chrono::nanoseconds time) {
  int count = 1;
  for (std::chrono::nanoseconds hold = listen_options().first_backoff; time >= hold; ++count) {
    time -= hold;
    hold = std::min<std::chrono::nanoseconds>(2 * hold, listen_options().last_backoff);
  }
  return count;
}

TEST(accept, holds_off_without_descriptors_and_existing_connections_go_on) {
  const failing_accept counting(0, 0);
  on_every_width([] {
    tcp_listener listener(any_port());
    tcp_stream client = tcp_stream::connect(listener.local_endpoint(), patience);
    tcp_stream server = listener.accept(patience);
    auto echo = weft::spawn([&server] {
      for (std::string text = read_text(server); !text.empty(); text = read_text(server)) server.write(text);
    });
    raw_client waiting;
    weft::fiber<tcp_stream> accepting;
    {
      const no_descriptors_left scarcity;
      calls.store(0, relaxed);
      waiting.connect(listener.local_endpoint());
      const auto begin = std::chrono::steady_clock::now();
      accepting = weft::spawn([&] { return listener.accept(patience); });
      EXPECT_TRUE(yield_until([] { return calls.load(relaxed) != 0; }));
      while (std::chrono::steady_clock::now() < begin + 150ms) {
        client.write("served");
        EXPECT_EQ(read_text(client), "served");
        weft::this_fiber::sleep_for(1ms);
      }
      EXPECT_FALSE(accepting.done());
      const int made = calls.load(relaxed);
      EXPECT_LE(made, calls_within(std::chrono::steady_clock::now() - begin));
    }
    EXPECT_TRUE(accepting.join().is_open()) << "it recovers by itself";
    client.close();
    echo.join();
  });
}

TEST(tcp_connect, names_the_lack_of_descriptors) {
  on_every_width([] {
    tcp_listener listener(any_port());
    const no_descriptors_left scarcity;
    const auto failure = failure_of([&] { tcp_stream::connect(listener.local_endpoint(), patience); });
    EXPECT_EQ(failure.code(), std::errc::too_many_files_open);
    EXPECT_EQ(failure.what(),
              "tcp_stream::connect to " + listener.local_endpoint().to_string() + ": Too many open files");
    std::error_code ec;
    tcp_listener::listen(any_port(), ec);
    EXPECT_EQ(ec, std::errc::too_many_files_open);
  });
}

}  // namespace
}  // namespace weft_test
