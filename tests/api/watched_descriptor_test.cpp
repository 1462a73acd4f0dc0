// Descriptors that weft does not own: waiting for them, and selecting over them.
#include "support/waiting.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

using namespace weft_test;
using weft::on_readable;
using weft::on_receive;
using weft::on_timeout;
using weft::on_writable;
using weft::otherwise;
using weft::select;
using weft::watched_descriptor;

namespace {

constexpr auto ignore = [](auto&&...) {};

// Two connected blocking sockets.
struct socket_pair {
  std::array<int, 2> ends{};
  socket_pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0); }
  socket_pair(const socket_pair&) = delete;
  socket_pair& operator=(const socket_pair&) = delete;
  ~socket_pair() {
    for (const int end : ends) close(end);
  }
  int here() const { return ends[0]; }
  void tell() const { EXPECT_EQ(write(ends[1], "x", 1), 1); }
  void hear() const {
    char c = 0;
    EXPECT_EQ(read(ends[0], &c, 1), 1);
  }
  // Until the next byte would wait.
  void fill() const {
    const std::string piece(4096, 'f');
    while (send(ends[0], piece.data(), piece.size(), MSG_DONTWAIT) > 0) {
    }
    while (send(ends[0], piece.data(), 1, MSG_DONTWAIT) > 0) {
    }
  }
  void drain() const {
    std::string piece(65536, '\0');
    while (recv(ends[1], piece.data(), piece.size(), MSG_DONTWAIT) > 0) {
    }
  }
};

}  // namespace

WEFT_TEST_EACH_REACTOR(watched_descriptor, waits_until_something_comes_and_takes_nothing) {
  const socket_pair pair;
  watched_descriptor input(pair.here());
  EXPECT_EQ(input.fd(), pair.here());
  EXPECT_FALSE(input.wait_readable_for(1ms));
  for (int i = 0; i < 50; ++i) {
    auto teller = weft::spawn([&] { pair.tell(); });
    input.wait_readable();
    input.wait_readable();
    EXPECT_TRUE(input.wait_readable_for(0ms));
    pair.hear();
    EXPECT_FALSE(input.wait_readable_for(0ms));
    teller.join();
  }
}

WEFT_TEST(watched_descriptor, waits_until_there_is_room) {
  const socket_pair pair;
  watched_descriptor output(pair.here());
  output.wait_writable();
  pair.fill();
  EXPECT_FALSE(output.wait_writable_for(1ms));
  auto reader = weft::spawn([&] { pair.drain(); });
  output.wait_writable();
  reader.join();
}

WEFT_TEST(watched_descriptor, leaves_the_descriptor_open) {
  const socket_pair pair;
  {
    watched_descriptor first(pair.here());
    EXPECT_FALSE(first.wait_readable_for(1ms));
  }
  watched_descriptor second(pair.here());
  EXPECT_FALSE(second.wait_readable_for(1ms));
  watched_descriptor third(std::move(second));
  pair.tell();
  third.wait_readable();
  third.unwatch();
  third.unwatch();
  EXPECT_FALSE(third.is_watched());
  EXPECT_EQ(fcntl(pair.here(), F_GETFD), FD_CLOEXEC);
}

WEFT_TEST(watched_descriptor, the_end_of_the_watch_ends_every_wait) {
  const socket_pair pair;
  watched_descriptor input(pair.here());
  std::atomic<int> ended{0};
  auto waits = weft::spawn([&] {
    input.wait_readable();
    ++ended;
  });
  pair.fill();
  auto selects = weft::spawn([&] {
    weft::channel<int> idle;
    EXPECT_EQ(select(on_receive(idle, ignore), on_writable(input)), 1u);
    ++ended;
  });
  for (int i = 0; i < 20; ++i) weft::this_fiber::yield();
  EXPECT_EQ(ended, 0);
  input.unwatch();
  waits.join();
  selects.join();
  EXPECT_EQ(select(on_readable(input), otherwise()), 0u);
}

namespace {

struct pipe_ends {
  std::array<int, 2> ends{};
  pipe_ends() { EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0); }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  ~pipe_ends() {
    for (const int end : ends) close(end);
  }
};

// The fiber that waits in `wait(input)` has yet to run when the number is another file's, which is watched, too.
template <class Wait>
void expect_next_owner_hears(Wait wait) {
  const pipe_ends before, after;
  watched_descriptor first(before.ends[0]);
  const weft::pin_guard stay;
  auto waits = begin_here([&] { wait(first); });
  first.unwatch();
  ASSERT_EQ(dup3(after.ends[0], before.ends[0], O_CLOEXEC), before.ends[0]);
  watched_descriptor second(before.ends[0]);
  auto tells = weft::spawn([&] {
    waits.join();
    EXPECT_EQ(write(after.ends[1], "x", 1), 1);
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(second.wait_readable_for(5s));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << "no event came";
  tells.join();
}

}  // namespace

WEFT_TEST_EACH_REACTOR(watched_descriptor, the_number_may_have_its_next_owner_at_once) {
  expect_next_owner_hears([](watched_descriptor& input) { input.wait_readable(); });
}

WEFT_TEST_EACH_REACTOR(watched_descriptor, the_number_of_a_case_may_have_its_next_owner_at_once) {
  expect_next_owner_hears([](watched_descriptor& input) {
    weft::channel<int> idle;
    EXPECT_EQ(select(on_receive(idle, ignore), on_readable(input)), 1u);
  });
}

WEFT_TEST(watched_descriptor, waits_for_one_fiber_in_each_direction) {
  const socket_pair pair;
  watched_descriptor input(pair.here());
  const weft::pin_guard stay;
  auto waits = begin_here([&] { input.wait_readable(); });
  EXPECT_EQ(error_of([&] { input.wait_readable(); }), std::errc::device_or_resource_busy);
  EXPECT_EQ(error_of([&] { select(on_readable(input), on_timeout(long_enough)); }), std::errc::device_or_resource_busy);
  EXPECT_EQ(select(on_readable(input), otherwise()), 1u);
  EXPECT_EQ(select(on_readable(input), on_writable(input)), 1u);
  pair.tell();
  waits.join();
}

WEFT_TEST(watched_descriptor, refuses_what_it_cannot_watch) {
  EXPECT_EQ(error_of([] { const watched_descriptor none(-1); }), std::errc::bad_file_descriptor);
  const socket_pair pair;
  watched_descriptor input(pair.here());
  on_plain_thread([&] {
    EXPECT_EQ(error_of([&] { input.wait_readable(); }), std::errc::operation_not_permitted);
    EXPECT_EQ(error_of([&] { select(on_readable(input), on_timeout(1ms)); }), std::errc::operation_not_permitted);
    EXPECT_EQ(error_of([&] { const watched_descriptor other(pair.here()); }), std::errc::operation_not_permitted);
  });
}

WEFT_TEST(watched_descriptor, a_cancelled_wait_leaves_it_to_the_next) {
  const socket_pair pair;
  watched_descriptor input(pair.here());
  auto waits = weft::spawn([&] { input.wait_readable(); });
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  waits.cancel();
  EXPECT_TRUE(ended_cancelled(waits));
  auto selects = weft::spawn([&] { select(on_readable(input), on_timeout(1h)); });
  for (int i = 0; i < 10; ++i) weft::this_fiber::yield();
  selects.cancel();
  EXPECT_TRUE(ended_cancelled(selects));
  pair.tell();
  EXPECT_EQ(select(on_readable(input)), 0u);
}

// --- In a select -----------------------------------------------------------------------------------------------------------

WEFT_TEST_EACH_REACTOR(select_descriptor, is_chosen_when_it_is_ready_before_or_later) {
  const socket_pair pair;
  watched_descriptor input(pair.here());
  weft::channel<int> idle;
  EXPECT_EQ(select(on_readable(input), on_timeout(1ms)), 1u);
  for (int i = 0; i < 50; ++i) {
    auto teller = weft::spawn([&] { pair.tell(); });
    bool is_told = false;
    EXPECT_EQ(select(on_receive(idle, ignore), on_readable(input, [&] { is_told = true; })), 1u);
    EXPECT_TRUE(is_told);
    EXPECT_EQ(select(on_readable(input), otherwise()), 0u) << "nothing was taken";
    pair.hear();
    EXPECT_EQ(select(on_readable(input), otherwise()), 1u);
    teller.join();
  }
}

WEFT_TEST(select_descriptor, that_loses_keeps_its_readiness) {
  const socket_pair pair;
  watched_descriptor input(pair.here());
  weft::channel<int> numbers(1);
  for (int i = 0; i < 100; ++i) {
    auto both = weft::spawn([&] {
      numbers.send(1);
      pair.tell();
    });
    bool number_came = false, byte_came = false;
    while (!number_came || !byte_came) {
      weft::select(on_receive(numbers, [&](std::optional<int>) { number_came = true; }), on_readable(input, [&] {
                     pair.hear();
                     byte_came = true;
                   }));
    }
    both.join();
  }
}

WEFT_TEST(select_descriptor, watches_both_directions_at_once) {
  const socket_pair pair;
  watched_descriptor both(pair.here());
  pair.fill();
  EXPECT_EQ(select(on_readable(both), on_writable(both), otherwise()), 2u);
  auto reader = weft::spawn([&] { pair.drain(); });
  EXPECT_EQ(select(on_readable(both), on_writable(both)), 1u);
  reader.join();
  pair.fill();
  auto teller = weft::spawn([&] { pair.tell(); });
  EXPECT_EQ(select(on_readable(both), on_writable(both)), 0u);
  teller.join();
}

WEFT_TEST(select_descriptor, sees_the_end_as_readable) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe2(pipe_ends.data(), O_CLOEXEC), 0);
  watched_descriptor input(pipe_ends[0]);
  auto closer = weft::spawn([&] { close(pipe_ends[1]); });
  EXPECT_EQ(select(on_readable(input), on_timeout(long_enough)), 0u);
  closer.join();
  input.unwatch();
  close(pipe_ends[0]);
}

WEFT_TEST(select_descriptor, a_regular_file_is_always_ready) {
  const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  watched_descriptor input(file);
  EXPECT_EQ(select(on_readable(input), otherwise()), 0u);
  input.wait_readable();
  input.unwatch();
  close(file);
}

WEFT_TEST(select_descriptor, works_in_a_set) {
  const socket_pair one, two;
  watched_descriptor first(one.here()), second(two.here());
  weft::select_set inputs;
  std::array<int, 2> heard{};
  inputs.add(on_readable(first, [&] {
    one.hear();
    ++heard[0];
  }));
  inputs.add(on_readable(second, [&] {
    two.hear();
    ++heard[1];
  }));
  auto tellers = weft::spawn([&] {
    for (int i = 0; i < 30; ++i) {
      one.tell();
      weft::this_fiber::yield();
      two.tell();
    }
  });
  for (int i = 0; i < 60; ++i) inputs.select();
  tellers.join();
  EXPECT_EQ(heard, (std::array<int, 2>{30, 30}));
}
