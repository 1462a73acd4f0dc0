// What synchronisation costs where nobody has to wait, beside the standard library's, and what a wake from fiber to fiber
// costs. On one core; times are per iteration.
#include <benchmark/benchmark.h>
#include <weft/weft.h>

#include <barrier>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>

namespace {

// Google Benchmark calls a benchmark on a plain thread; its loop then runs inside of a fiber.
template <class Loop>
void in_fiber(benchmark::State& state, Loop loop) {
  weft::options wanted;
  wanted.cores = 1;
  weft::run(wanted, [&] { loop(state); });
}

// An iteration is `step(object)`.
template <class Object, class Step, class... Args>
void repeat(benchmark::State& state, Step step, Args... args) {
  in_fiber(state, [&](benchmark::State& s) {
    Object object(args...);
    for (auto _ : s) {
      step(object);
      benchmark::ClobberMemory();
    }
  });
}

template <class Mutex>
void lock_and_unlock(benchmark::State& state) {
  repeat<Mutex>(state, [](Mutex& m) {
    m.lock();
    benchmark::ClobberMemory();
    m.unlock();
  });
}
BENCHMARK(lock_and_unlock<weft::mutex>);
BENCHMARK(lock_and_unlock<std::mutex>);
BENCHMARK(lock_and_unlock<weft::recursive_mutex>);
BENCHMARK(lock_and_unlock<std::recursive_mutex>);
BENCHMARK(lock_and_unlock<weft::shared_mutex>);
BENCHMARK(lock_and_unlock<std::shared_mutex>);
BENCHMARK(lock_and_unlock<weft::checked_lock<std::mutex>>);

template <class Mutex>
void lock_and_unlock_shared(benchmark::State& state) {
  repeat<Mutex>(state, [](Mutex& m) {
    m.lock_shared();
    benchmark::ClobberMemory();
    m.unlock_shared();
  });
}
BENCHMARK(lock_and_unlock_shared<weft::shared_mutex>);
BENCHMARK(lock_and_unlock_shared<std::shared_mutex>);

template <class Semaphore>
void acquire_and_release(benchmark::State& state) {
  repeat<Semaphore>(
      state,
      [](Semaphore& gate) {
        gate.acquire();
        benchmark::ClobberMemory();
        gate.release();
      },
      1);
}
BENCHMARK(acquire_and_release<weft::semaphore>);
BENCHMARK(acquire_and_release<weft::bounded_semaphore>);
BENCHMARK(acquire_and_release<std::counting_semaphore<>>);

void event_set_and_clear(benchmark::State& state) {
  repeat<weft::event>(state, [](weft::event& e) {
    e.set();
    e.clear();
  });
}
BENCHMARK(event_set_and_clear);

void event_wait_when_set(benchmark::State& state) {
  repeat<weft::event>(
      state, [](weft::event& e) { e.wait(); }, true);
}
BENCHMARK(event_wait_when_set);

void auto_reset_event_set_and_wait(benchmark::State& state) {
  repeat<weft::auto_reset_event>(state, [](weft::auto_reset_event& e) {
    e.set();
    e.wait();
  });
}
BENCHMARK(auto_reset_event_set_and_wait);

// With its construction: a latch serves once.
template <class Latch>
void latch_of_one(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) {
      Latch done(1);
      benchmark::ClobberMemory();
      done.arrive_and_wait();
    }
  });
}
BENCHMARK(latch_of_one<weft::latch>);
BENCHMARK(latch_of_one<std::latch>);

void wait_group_add_and_done(benchmark::State& state) {
  repeat<weft::wait_group>(state, [](weft::wait_group& crew) {
    crew.add();
    crew.done();
  });
}
BENCHMARK(wait_group_add_and_done);

template <class Barrier>
void barrier_of_one(benchmark::State& state) {
  repeat<Barrier>(
      state, [](Barrier& meet) { meet.arrive_and_wait(); }, 1);
}
BENCHMARK(barrier_of_one<weft::barrier<>>);
BENCHMARK(barrier_of_one<std::barrier<>>);

void weft_call_once_done(benchmark::State& state) {
  repeat<weft::once_flag>(state, [](weft::once_flag& flag) { weft::call_once(flag, [] {}); });
}
BENCHMARK(weft_call_once_done);

void std_call_once_done(benchmark::State& state) {
  repeat<std::once_flag>(state, [](std::once_flag& flag) { std::call_once(flag, [] {}); });
}
BENCHMARK(std_call_once_done);

template <class Condition>
void notify_nobody(benchmark::State& state) {
  repeat<Condition>(state, [](Condition& told) { told.notify_one(); });
}
BENCHMARK(notify_nobody<weft::condition_variable>);
BENCHMARK(notify_nobody<weft::condition_variable_any>);
BENCHMARK(notify_nobody<std::condition_variable>);

void guarded_with(benchmark::State& state) {
  repeat<weft::guarded<int>>(state, [](weft::guarded<int>& count) { count.with([](int& n) { ++n; }); });
}
BENCHMARK(guarded_with);

void single_flight_alone(benchmark::State& state) {
  repeat<weft::single_flight<int, int>>(
      state, [](weft::single_flight<int, int>& loads) { benchmark::DoNotOptimize(loads.run(1, [] { return 1; })); });
}
BENCHMARK(single_flight_alone);

void rate_limiter_try_acquire(benchmark::State& state) {
  repeat<weft::rate_limiter>(
      state, [](weft::rate_limiter& limit) { benchmark::DoNotOptimize(limit.try_acquire()); },
      weft::rate_limit{1'000'000'000, std::chrono::seconds(1), 1000});
}
BENCHMARK(rate_limiter_try_acquire);

void no_suspend_guard(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) {
      const weft::no_suspend hold;
      benchmark::ClobberMemory();
    }
  });
}
BENCHMARK(no_suspend_guard);

// Two fibers wake each other in turn: an iteration is two wakes and two switches.
template <class Ball, class Throw, class Catch>
void ping_pong(benchmark::State& state, Ball& ping, Ball& pong, Throw send, Catch receive) {
  in_fiber(state, [&](benchmark::State& s) {
    bool stop = false;
    auto other = weft::spawn([&] {
      while (receive(ping), !stop) send(pong);
    });
    for (auto _ : s) {
      send(ping);
      receive(pong);
    }
    stop = true;
    send(ping);
    other.join();
    s.SetItemsProcessed(2 * s.iterations());
  });
}

void semaphore_ping_pong(benchmark::State& state) {
  weft::semaphore ping(0), pong(0);
  ping_pong(
      state, ping, pong, [](weft::semaphore& s) { s.release(); }, [](weft::semaphore& s) { s.acquire(); });
}
BENCHMARK(semaphore_ping_pong);

void event_ping_pong(benchmark::State& state) {
  weft::auto_reset_event ping, pong;
  ping_pong(
      state, ping, pong, [](weft::auto_reset_event& e) { e.set(); }, [](weft::auto_reset_event& e) { e.wait(); });
}
BENCHMARK(event_ping_pong);

void condition_variable_ping_pong(benchmark::State& state) {
  struct place {
    weft::mutex gate;
    weft::condition_variable told;
    bool is_full = false;
  } ping, pong;
  ping_pong(
      state, ping, pong,
      [](place& p) {
        const std::lock_guard hold(p.gate);
        p.is_full = true;
        p.told.notify_one();
      },
      [](place& p) {
        std::unique_lock lock(p.gate);
        p.told.wait(lock, [&p] { return p.is_full; });
        p.is_full = false;
      });
}
BENCHMARK(condition_variable_ping_pong);

void barrier_of_two(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    weft::barrier meet(2);
    auto other = weft::spawn([&meet] {
      try {
        for (;;) meet.arrive_and_wait();
      } catch (const weft::broken_barrier&) {
      }
    });
    for (auto _ : s) meet.arrive_and_wait();
    meet.abort();
    other.join();
  });
}
BENCHMARK(barrier_of_two);

}  // namespace

BENCHMARK_MAIN();
