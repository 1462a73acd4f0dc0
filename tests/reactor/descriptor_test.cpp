// Descriptors inside of a running runtime, in each reactor mode, on one core and on two.
#include "reactor/descriptor.h"

#include "platform/system_calls.h"
#include "support/replaced_system_calls.h"

#include <gtest/gtest.h>
#include <weft/run.h>
#include <weft/this_fiber.h>

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>

namespace weft::detail {
namespace {

struct pair_of_sockets {
  descriptor left;
  descriptor right;

  pair_of_sockets() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
    if (descriptor::adopt(fds[0], left) != 0 || descriptor::adopt(fds[1], right) != 0) std::abort();
  }
};

std::ptrdiff_t read_some(descriptor& from, std::string& into, std::int64_t deadline = never) {
  std::array<char, 256> buffer;
  const std::ptrdiff_t n = from.perform(direction::read, deadline, buffer.size(),
                                        [&buffer](int fd) { return sys().read(fd, buffer.data(), buffer.size()); });
  if (n > 0) into.append(buffer.data(), static_cast<std::size_t>(n));
  return n;
}

std::ptrdiff_t write_some(descriptor& to, const std::string& text) {
  return to.perform(direction::write, never, text.size(),
                    [&text](int fd) { return sys().write(fd, text.data(), text.size()); });
}

class descriptor_test : public testing::TestWithParam<std::tuple<reactor_mode, std::size_t, migration>> {
 protected:
  template <class F>
  void in_runtime(F f) {
    options wanted;
    std::tie(wanted.reactor, wanted.cores, wanted.migration) = std::tuple_cat(GetParam());
    weft::run(wanted, [&] {
      f();
      EXPECT_EQ(weft::statistics().descriptors, 0u);
    });
  }
};

TEST_P(descriptor_test, wakes_a_reader_when_something_is_written) {
  in_runtime([] {
    pair_of_sockets both;
    auto reader = weft::spawn([&both] {
      std::string got;
      for (int i = 0; i < 1000; ++i) {
        while (got.size() < 4) {
          if (read_some(both.left, got) <= 0) return i;
        }
        got.erase(0, 4);
        if (write_some(both.left, "pong") != 4) return i;
      }
      return 1000;
    });
    std::string got;
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(write_some(both.right, "ping"), 4);
      while (got.size() < 4) ASSERT_GT(read_some(both.right, got), 0);
      got.erase(0, 4);
    }
    EXPECT_EQ(reader.join(), 1000);
  });
}

TEST_P(descriptor_test, ends_a_read_at_its_deadline) {
  in_runtime([] {
    pair_of_sockets both;
    std::string got;
    const auto begin = std::chrono::steady_clock::now();

    EXPECT_EQ(read_some(both.left, got, deadline_after(5'000'000)), -ETIMEDOUT);

    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(5));
    ASSERT_EQ(write_some(both.right, "late"), 4);
    EXPECT_EQ(read_some(both.left, got), 4);
  });
}

TEST_P(descriptor_test, wakes_a_reader_when_it_is_closed) {
  in_runtime([] {
    pair_of_sockets both;
    auto reader = weft::spawn([&both] {
      std::string got;
      return read_some(both.left, got);
    });
    weft::this_fiber::sleep_for(std::chrono::milliseconds(1));

    both.left.close();

    EXPECT_EQ(reader.join(), -EBADF);
    EXPECT_FALSE(both.left.is_open());
    std::string got;
    EXPECT_EQ(read_some(both.left, got), -EBADF);
  });
}

TEST_P(descriptor_test, ends_a_read_when_its_fiber_is_cancelled) {
  in_runtime([] {
    pair_of_sockets both;
    std::ptrdiff_t result = 0;
    atomic<bool> has_begun{false};
    auto reader = weft::spawn([&] {
      has_begun.store(true, relaxed);
      std::string got;
      result = read_some(both.left, got);
    });
    while (!has_begun.load(relaxed)) weft::this_fiber::yield();
    weft::this_fiber::sleep_for(std::chrono::milliseconds(1));

    reader.cancel();
    reader.join();

    EXPECT_EQ(result, -ECANCELED);
  });
}

TEST_P(descriptor_test, turns_a_second_reader_away) {
  in_runtime([] {
    pair_of_sockets both;
    auto first = weft::spawn([&both] {
      std::string got;
      return read_some(both.left, got);
    });
    auto second = weft::spawn([&both] {
      std::string got;
      return read_some(both.left, got);
    });
    while (!first.done() && !second.done()) weft::this_fiber::yield();
    ASSERT_EQ(write_some(both.right, "x"), 1);

    const std::ptrdiff_t a = first.join();
    const std::ptrdiff_t b = second.join();
    EXPECT_EQ(std::min(a, b), -EBUSY);
    EXPECT_EQ(std::max(a, b), 1);
  });
}

TEST_P(descriptor_test, sees_the_end_of_a_stream_behind_a_short_read) {
  in_runtime([] {
    for (int i = 0; i < 200; ++i) {
      pair_of_sockets both;
      auto writer = weft::spawn([&both] {
        write_some(both.right, "last words");
        both.right.close();
      });
      std::string got;
      std::ptrdiff_t n = 0;
      while ((n = read_some(both.left, got)) > 0) {
      }
      EXPECT_EQ(n, 0);
      EXPECT_EQ(got, "last words");
      writer.join();
    }
  });
}

TEST_P(descriptor_test, never_mixes_up_connections_that_reuse_a_number) {
  in_runtime([] {
    for (int i = 0; i < 300; ++i) {
      pair_of_sockets both;
      const std::string token = std::to_string(i);
      auto reader = weft::spawn([&both] {
        std::string got;
        read_some(both.left, got);
        return got;
      });
      ASSERT_EQ(write_some(both.right, token), static_cast<std::ptrdiff_t>(token.size()));
      EXPECT_EQ(reader.join(), token);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(modes, descriptor_test,
                         testing::Combine(testing::Values(reactor_mode::adaptive, reactor_mode::dedicated,
                                                          reactor_mode::inlined),
                                          testing::Values(std::size_t{1}, std::size_t{2}),
                                          testing::Values(migration::at_start, migration::free)));

TEST(descriptor, fails_by_name_outside_of_fibers) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  descriptor d;

  EXPECT_EQ(descriptor::adopt(fds[0], d), EPERM);
  EXPECT_FALSE(d.is_open());
  sys().close(fds[1]);
}

TEST(descriptor, outlives_its_runtime) {
  descriptor survivor;
  weft::run([&survivor] {
    pair_of_sockets both;
    survivor = std::move(both.left);
  });

  EXPECT_TRUE(survivor.is_open());
  EXPECT_EQ(survivor.close(), 0);
}

TEST(descriptor, outlives_its_runtime_closed) {
  descriptor survivor;
  weft::run([&survivor] {
    pair_of_sockets both;
    survivor = std::move(both.left);
    survivor.close();
  });

  EXPECT_FALSE(survivor.is_open());
}

#ifdef __linux__

// A descriptor is closed after the kernel has handed out an event of it, and its slot has passed on.
struct late_event {
  static inline std::atomic<std::uint64_t> last_token{0};  // Of what was registered.
  static inline std::atomic<std::uint64_t> token{0};
  static inline std::atomic<bool> is_due{false};  // The next wait returns it.

  static int epoll_ctl(int queue, int operation, int fd, epoll_event* event) noexcept {
    if (operation == EPOLL_CTL_ADD) last_token = event->data.u64;
    return real_system_calls().epoll_ctl(queue, operation, fd, event);
  }
  static int epoll_pwait2(int queue, epoll_event* events, int capacity, const timespec* timeout,
                          const sigset_t* mask) noexcept {
    if (!is_due.exchange(false)) return real_system_calls().epoll_pwait2(queue, events, capacity, timeout, mask);
    events[0].events = EPOLLIN | EPOLLRDHUP;
    events[0].data.u64 = token;
    return 1;
  }
};

TEST(reactor, drops_an_event_of_a_descriptor_that_is_gone) {
  const weft_test::replaced_system_calls table([](system_calls& calls) {
    calls.epoll_ctl = &late_event::epoll_ctl;
    calls.epoll_pwait2 = &late_event::epoll_pwait2;
  });
  options wanted;
  wanted.cores = 1;
  wanted.reactor = reactor_mode::inlined;
  weft::run(wanted, [] {
    std::string got;
    {
      pair_of_sockets gone;
      EXPECT_EQ(read_some(gone.left, got, 1), -ETIMEDOUT);
    }
    const std::uint64_t stale = late_event::last_token;
    pair_of_sockets both;
    int calls = 0;
    auto reader = weft::spawn([&] {
      return both.left.perform(direction::read, never, 16, [&](int fd) {
        ++calls;
        std::array<char, 16> buffer;
        return sys().read(fd, buffer.data(), buffer.size());
      });
    });
    while (late_event::last_token == stale) weft::this_fiber::yield();
    ASSERT_EQ(late_event::last_token >> 32, stale >> 32) << "the slot is another one";
    const int calls_before = calls;
    late_event::token = stale;
    late_event::is_due = true;
    while (late_event::is_due) weft::this_fiber::yield();
    for (int i = 0; i < 3; ++i) weft::this_fiber::yield();
    EXPECT_EQ(calls, calls_before);
    ASSERT_EQ(write_some(both.right, "x"), 1);
    EXPECT_EQ(reader.join(), 1);
    EXPECT_EQ(calls, calls_before + 1);
  });
}

#endif

// The core's only worker computes and never suspends: its reactor thread must take the event and a neighbour run the
// reader, which may migrate.
TEST(reactor, stands_in_for_a_worker_that_is_stuck) {
  options wanted;
  wanted.cores = 2;
  wanted.migration = migration::free;
  weft::run(wanted, [] {
    pair_of_sockets both;
    auto reader = weft::spawn([&both] {
      std::string got;
      return read_some(both.left, got);
    });
    weft::this_fiber::sleep_for(std::chrono::milliseconds(2));
    ASSERT_EQ(write_some(both.right, "x"), 1);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!reader.done() && std::chrono::steady_clock::now() < limit) {
    }
    EXPECT_TRUE(reader.done());
    EXPECT_EQ(reader.join(), 1);
  });
}

}  // namespace
}  // namespace weft::detail
