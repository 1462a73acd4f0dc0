// What the basic acts of a fiber cost on one core. Times are per iteration.
#include <benchmark/benchmark.h>
#include <weft/weft.h>

#include "scheduler/suspend.h"

#include <cstdint>
#include <mutex>
#include <vector>

namespace {

// Google Benchmark calls a benchmark on a plain thread; its loop then runs inside of a fiber.
template <class Loop>
void in_fiber(benchmark::State& state, Loop loop, std::size_t cores = 1) {
  weft::options wanted;
  wanted.cores = cores;
  weft::run(wanted, [&] { loop(state); });
}

// Two fibers hand one core to each other: an iteration is two yields.
void yield(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    bool stop = false;
    auto other = weft::spawn([&stop] {
      while (!stop) weft::this_fiber::yield();
    });
    for (auto _ : s) weft::this_fiber::yield();
    stop = true;
    other.join();
    s.SetItemsProcessed(2 * s.iterations());
  });
}
BENCHMARK(yield);

// The same through the scheduler's own function, inlined into the loop.
void yield_inlined(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    bool stop = false;
    const auto next = [] {
      weft::detail::core& c = *weft::detail::here();
      weft::detail::yield(c, *c.current);
    };
    auto other = weft::spawn([&stop, next] {
      while (!stop) next();
    });
    for (auto _ : s) next();
    stop = true;
    other.join();
    s.SetItemsProcessed(2 * s.iterations());
  });
}
BENCHMARK(yield_inlined);

void yield_alone(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) weft::this_fiber::yield();
  });
}
BENCHMARK(yield_alone);

void spawn_and_join(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) weft::spawn([] {}).join();
  });
}
BENCHMARK(spawn_and_join);

void spawn_many_then_join(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    constexpr int many = 1000;
    for (auto _ : s) {
      std::vector<weft::fiber<void>> fibers;
      fibers.reserve(many);
      for (int i = 0; i < many; ++i) fibers.push_back(weft::spawn([] {}));
      for (auto& f : fibers) f.join();
    }
    s.SetItemsProcessed(many * s.iterations());
  });
}
BENCHMARK(spawn_many_then_join);

void join_a_finished_fiber(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) {
      s.PauseTiming();
      auto f = weft::spawn([] {});
      while (!f.done()) weft::this_fiber::yield();
      s.ResumeTiming();
      f.join();
    }
  });
}
BENCHMARK(join_a_finished_fiber)->Iterations(20000);

template <class Mutex>
void lock_and_unlock(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    Mutex m;
    for (auto _ : s) {
      m.lock();
      benchmark::ClobberMemory();
      m.unlock();
    }
  });
}
BENCHMARK(lock_and_unlock<weft::mutex>);
BENCHMARK(lock_and_unlock<std::mutex>);

void sleep_shortest(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) weft::this_fiber::sleep_for(std::chrono::nanoseconds(1));
  });
}
BENCHMARK(sleep_shortest);

}  // namespace

BENCHMARK_MAIN();
