// What scopes, timeouts and cancellation cost on one core. Times are per item.
#include <benchmark/benchmark.h>
#include <weft/weft.h>

#include <chrono>
#include <vector>

namespace {

using namespace std::chrono_literals;

template <class Loop>
void in_fiber(benchmark::State& state, Loop loop) {
  weft::options wanted;
  wanted.cores = 1;
  weft::run(wanted, [&] { loop(state); });
}

void scope_child(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    const auto many = static_cast<int>(s.range(0));
    for (auto _ : s) {
      weft::with_scope([&](weft::scope& crew) {
        for (int i = 0; i < many; ++i) crew.spawn([] {});
      });
    }
    s.SetItemsProcessed(many * s.iterations());
  });
}
BENCHMARK(scope_child)->Arg(1)->Arg(16)->Arg(1000);

void gather_two(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) benchmark::DoNotOptimize(weft::gather([] { return 1; }, [] { return 2; }));
  });
}
BENCHMARK(gather_two);

void timeout_that_does_not_fire(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    for (auto _ : s) benchmark::DoNotOptimize(weft::with_timeout(1s, [] { return 1; }));
  });
}
BENCHMARK(timeout_that_does_not_fire);

void join_of_an_ended_fiber(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    constexpr int many = 1000;
    for (auto _ : s) {
      s.PauseTiming();
      std::vector<weft::fiber<void>> crowd;
      for (int i = 0; i < many; ++i) crowd.push_back(weft::spawn([] {}));
      weft::wait(crowd);
      s.ResumeTiming();
      for (auto& each : crowd) each.join();
    }
    s.SetItemsProcessed(many * s.iterations());
  });
}
BENCHMARK(join_of_an_ended_fiber);

// Asks, and their ends, apart.
void cancel_sleepers(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    const auto many = static_cast<std::size_t>(s.range(0));
    double asked = 0;
    double ended = 0;
    for (auto _ : s) {
      std::vector<weft::fiber<void>> crowd;
      std::size_t asleep = 0;
      for (std::size_t i = 0; i < many; ++i) {
        crowd.push_back(weft::spawn([&asleep] {
          ++asleep;
          weft::this_fiber::sleep_for(1h);
        }));
      }
      while (asleep != many) weft::this_fiber::yield();
      const auto begin = std::chrono::steady_clock::now();
      for (auto& each : crowd) each.cancel();
      const auto middle = std::chrono::steady_clock::now();
      crowd.clear();
      const auto end = std::chrono::steady_clock::now();
      asked += std::chrono::duration<double, std::nano>(middle - begin).count();
      ended += std::chrono::duration<double, std::nano>(end - middle).count();
    }
    const double items = static_cast<double>(many) * static_cast<double>(s.iterations());
    s.counters["ask_ns"] = asked / items;
    s.counters["end_ns"] = ended / items;
  });
}
BENCHMARK(cancel_sleepers)->Arg(100'000)->Iterations(3)->Unit(benchmark::kMillisecond);

// The bare cost of as many throws through as many frames.
[[gnu::noinline]] void throw_through(int frames) {
  if (frames == 0) throw 1;
  throw_through(frames - 1);
  __asm__ __volatile__("" ::: "memory");
}

void bare_throw(benchmark::State& state) {
  for (auto _ : state) {
    try {
      throw_through(6);
    } catch (int) {
    }
  }
}
BENCHMARK(bare_throw);

}  // namespace

BENCHMARK_MAIN();
