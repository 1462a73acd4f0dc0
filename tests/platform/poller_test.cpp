#include "platform/poller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <gtest/gtest.h>

#include "platform/clock.h"
#include "platform/thread.h"
#include "support/replaced_system_calls.h"

namespace {

using namespace weft::detail;

// Two descriptors: what is written to one can be read from the other.
class ends {
 public:
  ends(int reader, int writer) : reader_(reader), writer_(writer) {
    for (const int fd : {reader, writer}) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  ends(ends&& other) noexcept : reader_(std::exchange(other.reader_, -1)), writer_(std::exchange(other.writer_, -1)) {}
  ~ends() {
    close_reader();
    close_writer();
  }

  int reader() const { return reader_; }
  int writer() const { return writer_; }
  void close_reader() {
    if (reader_ >= 0) close(std::exchange(reader_, -1));
  }
  void close_writer() {
    if (writer_ >= 0) close(std::exchange(writer_, -1));
  }
  void put() const { ASSERT_EQ(write(writer_, "x", 1), 1); }
  void fill() const {
    const std::array<char, 65536> zeros{};
    while (write(writer_, zeros.data(), zeros.size()) > 0) {
    }
  }
  void drain() const {
    std::array<char, 65536> sink;
    while (read(reader_, sink.data(), sink.size()) > 0) {
    }
  }

 private:
  int reader_;
  int writer_;
};

struct pipe_ends {
  static ends make() {
    int fds[2];
    EXPECT_EQ(pipe(fds), 0);
    return {fds[0], fds[1]};
  }
};

struct unix_ends {
  static ends make() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return {fds[0], fds[1]};
  }
};

struct tcp_ends {
  static ends make() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener, generic, size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, generic, &size), 0);
    const int writer = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(writer, generic, size), 0);
    const int reader = accept(listener, nullptr, nullptr);
    close(listener);
    return {reader, writer};
  }
};

// Everything that `engine` reports about `token`, merged, waiting for the first of it until `deadline`.
std::uint32_t flags_for(poller& engine, std::uint64_t token, std::int64_t deadline = 0) {
  std::array<ready_event, 8> events;
  std::uint32_t flags = 0;
  const int count = engine.wait(events, deadline);
  EXPECT_GE(count, 0);
  for (int index = 0; index < count; ++index) {
    const ready_event& event = events[static_cast<std::size_t>(index)];
    if (event.token == token) flags |= event.flags;
  }
  return flags;
}

constexpr std::uint32_t readable = ready_event::readable_flag;
constexpr std::uint32_t writable = ready_event::writable_flag;

template <class Ends>
class poller_over : public testing::Test {
 protected:
  poller engine_;
  ends ends_ = Ends::make();
};
using all_ends = testing::Types<pipe_ends, unix_ends, tcp_ends>;
TYPED_TEST_SUITE(poller_over, all_ends);

TYPED_TEST(poller_over, reports_what_was_ready_before_it_was_added) {
  this->ends_.put();
  ASSERT_EQ(this->engine_.add(this->ends_.reader(), 71), 0);
  ASSERT_EQ(this->engine_.add(this->ends_.writer(), 72), 0);
  std::array<ready_event, 8> events;
  std::uint32_t of_reader = 0;
  std::uint32_t of_writer = 0;
  while ((of_reader & readable) == 0 || of_writer == 0) {  // What was put may be on its way.
    const int count = this->engine_.wait(events, deadline_after(60'000'000'000));
    ASSERT_GT(count, 0);
    for (int index = 0; index < count; ++index) {
      const ready_event& event = events[static_cast<std::size_t>(index)];
      (event.token == 71 ? of_reader : of_writer) |= event.flags;
    }
  }
  EXPECT_EQ(of_writer & (readable | writable), writable);
}

TYPED_TEST(poller_over, reports_an_edge_once_and_the_next_one_again) {
  ASSERT_EQ(this->engine_.add(this->ends_.reader(), 5), 0);
  flags_for(this->engine_, 5);
  this->ends_.put();
  EXPECT_NE(flags_for(this->engine_, 5, never) & readable, 0u);
  EXPECT_EQ(flags_for(this->engine_, 5), 0u) << "unread, but no edge since";
  this->ends_.put();
  EXPECT_NE(flags_for(this->engine_, 5, never) & readable, 0u) << "a new edge, though the old byte is unread";
}

TYPED_TEST(poller_over, reports_room_to_write_when_there_is_some_again) {
  ASSERT_EQ(this->engine_.add(this->ends_.writer(), 6), 0);
  EXPECT_NE(flags_for(this->engine_, 6) & writable, 0u);
  const std::int64_t limit = deadline_after(60'000'000'000);
  do {  // What was written moves on to the reader, and may leave room for a little more.
    this->ends_.fill();
    ASSERT_LT(monotonic_now(), limit);
  } while ((flags_for(this->engine_, 6) & writable) != 0);
  this->ends_.drain();
  EXPECT_NE(flags_for(this->engine_, 6, never) & writable, 0u);
}

TYPED_TEST(poller_over, makes_a_closed_peer_readable) {
  ASSERT_EQ(this->engine_.add(this->ends_.reader(), 7), 0);
  flags_for(this->engine_, 7);
  this->ends_.close_writer();
  EXPECT_NE(flags_for(this->engine_, 7, never) & readable, 0u);
}

TYPED_TEST(poller_over, says_nothing_about_what_was_removed) {
  ASSERT_EQ(this->engine_.add(this->ends_.reader(), 8), 0);
  ASSERT_EQ(this->engine_.remove(this->ends_.reader()), 0);
  this->ends_.put();
  EXPECT_EQ(flags_for(this->engine_, 8), 0u);
  EXPECT_EQ(this->engine_.remove(this->ends_.reader()), ENOENT);
  ASSERT_EQ(this->engine_.add(this->ends_.reader(), 9), 0) << "and it may come back";
  EXPECT_NE(flags_for(this->engine_, 9, never) & readable, 0u);
}

TYPED_TEST(poller_over, waits_unconsumed_and_consumes_nothing) {
  ASSERT_EQ(this->engine_.add(this->ends_.reader(), 10), 0);
  flags_for(this->engine_, 10);
  EXPECT_EQ(this->engine_.wait_unconsumed(0), 0);
  this->ends_.put();
  EXPECT_EQ(this->engine_.wait_unconsumed(never), 1);
  EXPECT_EQ(this->engine_.wait_unconsumed(never), 1);
  EXPECT_NE(flags_for(this->engine_, 10) & readable, 0u);
  EXPECT_EQ(this->engine_.wait_unconsumed(0), 0);
}

TEST(poller, tells_half_closed_from_hung_up) {
  poller engine;
  const ends pair = unix_ends::make();
  ASSERT_EQ(engine.add(pair.reader(), 1), 0);
  flags_for(engine, 1);
  shutdown(pair.writer(), SHUT_WR);
  const std::uint32_t half = flags_for(engine, 1, never);
  EXPECT_NE(half & readable, 0u);
  EXPECT_NE(half & ready_event::read_closed_flag, 0u);
  EXPECT_EQ(half & (ready_event::hangup_flag | ready_event::error_flag), 0u);
  shutdown(pair.reader(), SHUT_WR);
  const std::uint32_t whole = flags_for(engine, 1, never);
  EXPECT_NE(whole & ready_event::hangup_flag, 0u);
  EXPECT_EQ(whole & (readable | writable), readable | writable);
}

TEST(poller, makes_both_directions_ready_on_an_error) {
  poller engine;
  ends pair = pipe_ends::make();
  ASSERT_EQ(engine.add(pair.writer(), 1), 0);
  pair.fill();
  flags_for(engine, 1);
  pair.close_reader();
  const std::uint32_t flags = flags_for(engine, 1, never);
  EXPECT_NE(flags & ready_event::error_flag, 0u);
  EXPECT_EQ(flags & (readable | writable), readable | writable);
}

TEST(poller, names_what_it_cannot_watch) {
  poller engine;
  const ends pair = unix_ends::make();
  EXPECT_EQ(engine.add(-1, 1), EBADF);
  EXPECT_EQ(engine.add(pair.reader(), poller::reserved_token), EINVAL);
  EXPECT_EQ(engine.add(pair.reader(), 1), 0);
  EXPECT_EQ(engine.add(pair.reader(), 1), EEXIST);
  char name[] = "/tmp/weft-poller-XXXXXX";
  const int file = mkstemp(name);
  EXPECT_EQ(engine.add(file, 2), EPERM);
  close(file);
  unlink(name);
  EXPECT_EQ(engine.remove(-1), EBADF);
}

TEST(poller, hands_out_no_more_than_there_is_room_for) {
  poller engine;
  const ends one = unix_ends::make();
  const ends two = unix_ends::make();
  ASSERT_EQ(engine.add(one.reader(), 1), 0);
  ASSERT_EQ(engine.add(two.reader(), 2), 0);
  std::array<ready_event, 1> room;
  ASSERT_EQ(engine.wait(room, 0), 1);
  const std::uint64_t first = room[0].token;
  ASSERT_EQ(engine.wait(room, 0), 1);
  EXPECT_NE(room[0].token, first);
  EXPECT_EQ(engine.wait(room, 0), 0);
  EXPECT_EQ(engine.wait({}, 0), -EINVAL);
}

TEST(poller, a_wake_before_the_wait_ends_it) {
  poller engine;
  std::array<ready_event, 4> events;
  engine.wake();
  engine.wake();
  EXPECT_EQ(engine.wait(events, never), 0);
  EXPECT_TRUE(engine.woken());
  EXPECT_EQ(engine.wait(events, 0), 0) << "several wakes before one wait are one";
  EXPECT_FALSE(engine.woken());
}

TEST(poller, every_wake_after_a_wait_counts) {
  poller engine;
  std::array<ready_event, 4> events;
  for (int round = 0; round < 1000; ++round) {
    engine.wake();
    EXPECT_EQ(engine.wait(events, never), 0);
    ASSERT_TRUE(engine.woken());
  }
}

TEST(poller, a_wake_comes_beside_events) {
  poller engine;
  const ends pair = unix_ends::make();
  ASSERT_EQ(engine.add(pair.reader(), 3), 0);
  engine.wake();
  EXPECT_NE(flags_for(engine, 3, never) & writable, 0u);
  EXPECT_TRUE(engine.woken());
}

TEST(poller, a_wake_from_another_thread_ends_a_wait_without_limit) {
  poller engine;
  std::array<ready_event, 4> events;
  for (int round = 0; round < 100; ++round) {
    native_thread waker("waker", [&] { engine.wake(); });
    EXPECT_EQ(engine.wait(events, never), 0);
    EXPECT_TRUE(engine.woken());
    waker.join();
  }
}

TEST(poller, a_wake_ends_an_unconsumed_wait_and_stays) {
  poller engine;
  std::array<ready_event, 4> events;
  native_thread waker("waker", [&] { engine.wake(); });
  EXPECT_EQ(engine.wait_unconsumed(never), 1);
  waker.join();
  EXPECT_EQ(engine.wait_unconsumed(0), 1);
  EXPECT_EQ(engine.wait(events, never), 0);
  EXPECT_TRUE(engine.woken());
  EXPECT_EQ(engine.wait_unconsumed(0), 0);
}

TEST(poller, waits_until_a_deadline_and_not_less) {
  poller engine;
  std::array<ready_event, 4> events;
  const std::int64_t first = deadline_after(300'000);
  EXPECT_EQ(engine.wait(events, first), 0);
  EXPECT_GE(monotonic_now(), first);
  const std::int64_t second = deadline_after(300'000);
  EXPECT_EQ(engine.wait_unconsumed(second), 0);
  EXPECT_GE(monotonic_now(), second);
}

}  // namespace
