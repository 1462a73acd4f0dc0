// As duration_test.cpp, for the calls that fewer programs use, and for durations in options.
#include "support/deadlines.h"

#include <weft/net/tcp.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <mutex>

using namespace weft_test;

WEFT_TEST(durations, of_groups_and_barriers_in_two_steps) {
  const weft::pin_guard stay;
  weft::wait_group crew;
  crew.add();
  expect_as_written({"wait_group", [&](auto when) { return crew.wait_for(when); },
                     [&] {
                       if (!crew.wait_for(0ns)) crew.done();
                     }},
                    false);
  for (const weft::deadline when : passed()) {
    weft::barrier meeting(2);
    EXPECT_FALSE(meeting.wait_for(meeting.arrive(), when));
    EXPECT_TRUE(meeting.is_broken());
    weft::barrier alone(1);
    EXPECT_TRUE(alone.wait_for(alone.arrive(), when));
  }
  for (const weft::deadline when : never_to_come()) {
    weft::barrier meeting(2);
    auto waiting = begin_here([&] { return meeting.wait_for(meeting.arrive(), when); });
    EXPECT_FALSE(waiting.done());
    meeting.arrive_and_wait();
    EXPECT_TRUE(waiting.join());
  }
}

WEFT_TEST(durations, of_other_locks) {
  const weft::pin_guard stay;
  weft::guarded<int> number(1);
  weft::shared_mutex shared;
  weft::recursive_mutex again;
  std::mutex plain;
  weft::condition_variable_any told;
  const auto wait_for_lock = [](auto& lock, auto when) {
    if (!lock.try_lock_for(when)) return false;
    lock.unlock();
    return true;
  };
  for (const weft::deadline when : passed()) {
    {
      const auto held = number.lock();
      EXPECT_FALSE(weft::spawn([&] { return bool(number.try_lock_for(when)); }).join());
    }
    EXPECT_TRUE(number.try_lock_for(when));
    std::unique_lock lock(plain);
    EXPECT_EQ(told.wait_for(lock, when), std::cv_status::timeout);
    EXPECT_TRUE(told.wait_for(lock, when, [] { return true; }));
    EXPECT_TRUE(lock.owns_lock());
  }
  for (const weft::deadline when : never_to_come()) {
    auto guarding = [&] {
      const auto held = number.lock();
      return begin_here([&] { return bool(number.try_lock_for(when)); });
    }();
    EXPECT_TRUE(guarding.join());
    shared.lock();
    auto writer = begin_here([&] { return wait_for_lock(shared, when); });
    auto reader = begin_here([&] {
      if (!shared.try_lock_shared_for(when)) return false;
      shared.unlock_shared();
      return true;
    });
    shared.unlock();
    EXPECT_TRUE(writer.join());
    EXPECT_TRUE(reader.join());
    again.lock();
    auto other = begin_here([&] { return wait_for_lock(again, when); });
    again.unlock();
    EXPECT_TRUE(other.join());
    auto waiting = begin_here([&] {
      std::unique_lock lock(plain);
      return told.wait_for(lock, when);
    });
    told.notify_one();
    EXPECT_EQ(waiting.join(), std::cv_status::no_timeout);
  }
}

WEFT_TEST(durations, of_readers_joins_and_rates) {
  const weft::pin_guard stay;
  weft::broadcast<int> news(4);
  auto reader = news.subscribe();
  expect_as_written(
      {"broadcast", [&](auto when) { return reader.receive_for(when).has_value(); }, [&] { news.send(1); }});
  weft::watch<int> newest(0);
  auto watcher = newest.subscribe();
  EXPECT_EQ(watcher.receive(), 0);
  expect_as_written(
      {"watch", [&](auto when) { return watcher.receive_shared(when) != nullptr; }, [&] { newest.set(1); }});
  weft::channel<int> work(1);
  work.send(1);
  bool is_done = false;
  expect_as_written({"join", [&](auto when) { return work.join_for(when); },
                     [&] {
                       if (!std::exchange(is_done, true)) work.task_done();
                     }},
                    false);
  weft::rate_limiter often({.permits = 1'000, .per = 1s, .burst = 1});
  weft::rate_limiter rare({.permits = 1, .per = std::chrono::nanoseconds(std::int64_t{1} << 61), .burst = 1});
  EXPECT_TRUE(rare.try_acquire_for(std::chrono::hours::min()));
  for (const weft::deadline when : passed()) EXPECT_FALSE(rare.try_acquire_for(when));
  for (const weft::deadline when : never_to_come()) {
    EXPECT_TRUE(often.try_acquire_for(when));
    auto waiting = begin_here([&] { return rare.try_acquire_for(when); });
    EXPECT_FALSE(waiting.done());
    waiting.cancel();
    EXPECT_TRUE(ended_cancelled(waiting));
  }
}

WEFT_TEST_EACH_REACTOR(durations, of_descriptors) {
  const weft::pin_guard stay;
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  {
    weft::watched_descriptor input(ends[0]);
    for (const weft::deadline when : passed()) EXPECT_FALSE(input.wait_readable_for(when));
    EXPECT_TRUE(input.wait_writable_for(std::chrono::hours::max()));
    for (const weft::deadline when : never_to_come()) {
      auto waiting = begin_here([&] { return input.wait_readable_for(when); });
      EXPECT_FALSE(waiting.done());
      char byte = 'x';
      ASSERT_EQ(write(ends[1], &byte, 1), 1);
      EXPECT_TRUE(waiting.join());
      ASSERT_EQ(read(ends[0], &byte, 1), 1);
    }
  }
  for (const int each : ends) close(each);
}

WEFT_TEST(durations, of_streams_that_are_full) {
  const weft::pin_guard stay;
  weft::net::tcp_listener listener(weft::net::endpoint("127.0.0.1:0"));
  weft::net::tcp_stream client = weft::net::tcp_stream::connect(listener.local_endpoint());
  weft::net::tcp_stream server = listener.accept();
  const std::vector<std::byte> piece(std::size_t{1} << 20);
  // The kernel may take a little more now and then, until all is full for good.
  const auto write_until_full = [&](weft::deadline when) {
    for (;;) static_cast<void>(client.write_some(piece, when));
  };
  EXPECT_EQ(error_of([&] { write_until_full(1ms); }), std::errc::timed_out);
  for (const weft::deadline when : passed()) {
    EXPECT_EQ(error_of([&] { write_until_full(when); }), std::errc::timed_out);
    EXPECT_EQ(error_of([&] { client.write(piece, when); }), std::errc::timed_out);
  }
  for (const weft::deadline when : never_to_come()) {
    auto writing = begin_here([&] { write_until_full(when); });
    EXPECT_FALSE(writing.done());
    writing.cancel();
    EXPECT_TRUE(ended_cancelled(writing));
  }
}

// A core that may spin for ever doubles the time that it does, each time that it pays.
TEST(durations, of_options) {
  weft::options wanted;
  wanted.cores = 1;
  wanted.spin = std::chrono::nanoseconds::max();
  wanted.watchdog = std::chrono::nanoseconds::max();
  wanted.quiescence_report = std::chrono::nanoseconds::max();
  weft::run(wanted, [] {
    const auto counts = [] { return weft::statistics().cores[0]; };
    // Spins through many sleeps in a row; on a slow machine most of them are over before they begin.
    constexpr int many = 10'000;
    weft::core_statistics begin = counts();
    int in_a_row = 0;
    for (int i = 0; i < 10 * many && in_a_row < many && counts().timers_fired - begin.timers_fired < 64; ++i) {
      weft::this_fiber::sleep_for(5us);
      ++in_a_row;
      if (counts().parks == begin.parks) continue;
      begin = counts();
      in_a_row = 0;
    }
    ASSERT_GE(in_a_row, 64) << "it does not spin";
    for (int i = 0; i < 20; ++i) weft::this_fiber::sleep_for(5us);
    EXPECT_EQ(counts().parks, begin.parks) << "it does not spin any more";
  });
}
