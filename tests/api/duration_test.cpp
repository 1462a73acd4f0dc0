// Durations and moments of every kind, given to every call that takes one: what has passed waits for nothing but still
// does what can be done at once; what does not fit is never.
#include "support/deadlines.h"

#include <weft/net/tcp.h>

#include <mutex>
#include <shared_mutex>

using namespace weft_test;

WEFT_TEST(durations, of_signals) {
  const weft::pin_guard stay;
  weft::semaphore permits(0);
  expect_as_written(
      {"semaphore", [&](auto when) { return permits.try_acquire_for(when); }, [&] { permits.release(); }});
  weft::auto_reset_event turn;
  expect_as_written({"auto_reset_event", [&](auto when) { return turn.wait_for(when); }, [&] { turn.set(); }});
  weft::event told;
  expect_as_written({"event", [&](auto when) { return told.wait_for(when); }, [&] { told.set(); }}, false);
  weft::latch done(1);
  expect_as_written({"latch", [&](auto when) { return done.wait_for(when); },
                     [&] {
                       if (!done.try_wait()) done.count_down();
                     }},
                    false);
  weft::promise<int> to;
  weft::future<int> from = to.get_future();
  expect_as_written({"future", [&](auto when) { return from.wait_for(when) == std::future_status::ready; },
                     [&] { to.set_result(1); }},
                    false);
  weft::event go;
  auto f = weft::spawn([&] { go.wait(); });
  std::vector<weft::fiber<void>> crowd;
  crowd.push_back(std::move(f));
  const auto ended = [&] {
    go.set();
    EXPECT_TRUE(yield_until([&] { return crowd[0].done(); }));
  };
  expect_as_written(
      {"wait", [&](auto when) { return weft::wait(crowd, weft::wait_for::all_completed, when).done.size() == 1; },
       ended},
      false);
  for (const weft::deadline when : passed()) {
    int seen = 0;
    for (auto& each : weft::as_completed(crowd, when)) {
      EXPECT_TRUE(each.done());
      ++seen;
    }
    EXPECT_EQ(seen, 1);
  }
  EXPECT_TRUE(crowd[0].join(-1h));
}

WEFT_TEST(durations, of_channels) {
  const weft::pin_guard stay;
  weft::channel<int> words(1);
  expect_as_written(
      {"receive", [&](auto when) { return words.receive_for(when).has_value(); }, [&] { words.send(1); }});
  EXPECT_EQ(words.receive(), 1);
  words.send(0);  // Full from here on.
  const auto take_one = [&] { EXPECT_TRUE(words.receive().has_value()); };
  expect_as_written({"send", [&](auto when) { return words.send_for(1, when); }, take_one});
  weft::channel<int> answers(0);
  for (const weft::deadline when : passed()) {
    EXPECT_EQ(weft::select(weft::on_receive(answers, [](std::optional<int>) {}), weft::on_timeout(when)), 1u);
  }
  for (const weft::deadline when : never_to_come()) {
    auto waiting = begin_here(
        [&] { return weft::select(weft::on_receive(answers, [](std::optional<int>) {}), weft::on_timeout(when)); });
    answers.send(1);
    EXPECT_EQ(waiting.join(), 0u);
  }
}

WEFT_TEST(durations, of_locks) {
  const weft::pin_guard stay;
  weft::mutex gate;
  weft::shared_mutex shared;
  weft::recursive_mutex again;
  const auto others = [](auto f) { return weft::spawn(f).join(); };
  for (const weft::deadline when : passed()) {
    EXPECT_TRUE(gate.try_lock_until(when));
    EXPECT_TRUE(shared.try_lock_for(when));
    EXPECT_TRUE(again.try_lock_for(when));
    EXPECT_FALSE(others([&] { return gate.try_lock_for(when); }));
    EXPECT_FALSE(others([&] { return shared.try_lock_for(when); }));
    EXPECT_FALSE(others([&] { return shared.try_lock_shared_for(when); }));
    EXPECT_FALSE(others([&] { return again.try_lock_for(when); }));
    gate.unlock();
    shared.unlock();
    again.unlock();
    EXPECT_TRUE(shared.try_lock_shared_for(when));
    shared.unlock_shared();
    weft::condition_variable told;
    std::unique_lock lock(gate);
    EXPECT_EQ(told.wait_for(lock, when), std::cv_status::timeout);
    EXPECT_TRUE(told.wait_until(lock, when, [] { return true; }));
    EXPECT_FALSE(told.wait_for(lock, when, [] { return false; }));
    EXPECT_TRUE(lock.owns_lock());
  }
  for (const weft::deadline when : never_to_come()) {
    gate.lock();
    auto waiting = begin_here([&] {
      if (!gate.try_lock_for(when)) return false;
      gate.unlock();
      return true;
    });
    EXPECT_FALSE(waiting.done());
    gate.unlock();
    EXPECT_TRUE(waiting.join());
    bool is_told = false;
    weft::condition_variable told;
    auto conditional = begin_here([&] {
      std::unique_lock lock(gate);
      return told.wait_for(lock, when, [&] { return is_told; });
    });
    {
      const std::lock_guard lock(gate);
      is_told = true;
    }
    told.notify_one();
    EXPECT_TRUE(conditional.join());
  }
}

WEFT_TEST(durations, of_barriers_and_joins) {
  for (const weft::deadline when : passed()) {
    weft::barrier meeting(2);
    EXPECT_FALSE(meeting.arrive_and_wait_for(when));
    EXPECT_TRUE(meeting.is_broken()) << "who gives up breaks it";
    weft::barrier alone(1);
    EXPECT_TRUE(alone.arrive_and_wait_for(when));
    auto f = weft::spawn([] { weft::this_fiber::sleep_for(std::chrono::hours::max()); });
    EXPECT_FALSE(f.join(when));
    EXPECT_TRUE(f.joinable());
  }
  for (const weft::deadline when : never_to_come()) {
    auto f = weft::spawn([] {
      weft::this_fiber::yield();
      return 5;
    });
    EXPECT_EQ(f.join(when), 5);
    weft::barrier meeting(2);
    auto other = weft::spawn([&] { return meeting.arrive_and_wait_for(when); });
    EXPECT_TRUE(meeting.arrive_and_wait_for(when));
    EXPECT_TRUE(other.join());
  }
}

WEFT_TEST(durations, of_sleeps) {
  for (const weft::deadline when : passed()) weft::this_fiber::sleep_until(when);
  weft::this_fiber::sleep_for(std::chrono::hours::min());
  weft::this_fiber::sleep_for(seconds_as_real(numeric_limits<double>::quiet_NaN()));
  const auto before = std::chrono::steady_clock::now();
  weft::this_fiber::sleep_for(seconds_as_real(0.000'3));
  weft::this_fiber::sleep_for(std::chrono::duration<float, std::micro>(99.5f));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 399us);
  const weft::pin_guard stay;
  for (const weft::deadline when : never_to_come()) {
    auto asleep = begin_here([&] { weft::this_fiber::sleep_until(when); });
    EXPECT_FALSE(asleep.done());
    asleep.cancel();
    EXPECT_TRUE(ended_cancelled(asleep));
  }
}

WEFT_TEST(durations, of_timeouts) {
  for (const weft::deadline when : passed()) {
    bool ran = false;
    EXPECT_THROW(weft::with_timeout(when,
                                    [&] {
                                      ran = true;
                                      weft::this_fiber::yield();
                                      ADD_FAILURE() << "ran past its first suspension";
                                    }),
                 weft::timed_out);
    EXPECT_TRUE(ran);
    EXPECT_TRUE(weft::move_on_after(when, [] {}));
    EXPECT_FALSE(weft::move_on_after(when, [] { weft::this_fiber::sleep_for(std::chrono::hours::max()); }));
    weft::timeout_scope moved(1h);
    EXPECT_TRUE(moved.reschedule(when));
    EXPECT_TRUE(moved.expired());
  }
  for (const weft::deadline when : never_to_come()) {
    EXPECT_EQ(weft::with_timeout(when,
                                 [] {
                                   weft::this_fiber::yield();
                                   return 3;
                                 }),
              3);
    weft::timeout_scope moved(1h);
    EXPECT_TRUE(moved.reschedule(when));
    EXPECT_TRUE(moved.when().is_never());
    EXPECT_FALSE(moved.expired());
  }
}

WEFT_TEST(durations, of_sockets) {
  const weft::pin_guard stay;
  weft::net::tcp_listener listener(weft::net::endpoint("127.0.0.1:0"));
  for (const weft::deadline when : passed()) {
    EXPECT_EQ(error_of([&] { static_cast<void>(listener.accept(when)); }), std::errc::timed_out);
  }
  weft::net::tcp_stream client = weft::net::tcp_stream::connect(listener.local_endpoint(), std::chrono::hours::max());
  weft::net::tcp_stream server = listener.accept(seconds_as_real(1e300));
  std::byte one{};
  for (const weft::deadline when : passed()) {
    EXPECT_EQ(error_of([&] { static_cast<void>(client.read({&one, 1}, when)); }), std::errc::timed_out);
    server.write("x", when);
    EXPECT_EQ(client.read({&one, 1}, long_enough), 1u);
  }
  for (const weft::deadline when : never_to_come()) {
    auto reading = begin_here([&] { return client.read({&one, 1}, when); });
    EXPECT_FALSE(reading.done());
    server.write("x", when);
    EXPECT_EQ(reading.join(), 1u);
  }
}

TEST(durations, of_shutdowns_and_plain_threads) {
  for (const weft::deadline when : passed()) {
    weft::runtime here(setting{1}.options());
    EXPECT_TRUE(here.shutdown(when).empty());
    auto f = here.spawn([] {});
    EXPECT_THROW(f.join(), weft::join_cancelled);
  }
  weft::runtime here(setting{1}.options());
  EXPECT_TRUE(here.shutdown(std::chrono::hours::max()).empty());
  weft::mutex gate;
  weft::event told;
  for (const weft::deadline when : passed()) {
    EXPECT_TRUE(gate.try_lock_for(when));
    std::thread([&] { EXPECT_FALSE(gate.try_lock_for(when)); }).join();
    gate.unlock();
    EXPECT_FALSE(told.wait_for(when));
    weft::this_fiber::sleep_until(when);
  }
  std::thread waiting([&] {
    for (const weft::deadline when : never_to_come()) EXPECT_TRUE(told.wait_until(when));
  });
  told.set();
  waiting.join();
}
