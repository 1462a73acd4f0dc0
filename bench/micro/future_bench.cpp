// What futures cost, beside those of the standard library. Times are per iteration.
#include <benchmark/benchmark.h>
#include <weft/context_local.h>
#include <weft/fiber_local.h>
#include <weft/weft.h>

#include <future>

namespace {

template <template <class> class Promise>
void make_set_get(benchmark::State& state) {
  for (auto _ : state) {
    Promise<int> p;
    auto f = p.get_future();
    p.set_value(1);
    benchmark::DoNotOptimize(f.get());
  }
}
BENCHMARK(make_set_get<weft::promise>);
BENCHMARK(make_set_get<std::promise>);

void make_ready_and_get(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(weft::make_ready_future(1).get());
}
BENCHMARK(make_ready_and_get);

template <template <class> class Promise>
void get_what_is_ready(benchmark::State& state) {
  Promise<int> p;
  p.set_value(1);
  const auto f = p.get_future().share();
  for (auto _ : state) benchmark::DoNotOptimize(f.get());
}
BENCHMARK(get_what_is_ready<weft::promise>);
BENCHMARK(get_what_is_ready<std::promise>);

void make_on_done_set(benchmark::State& state) {
  for (auto _ : state) {
    weft::promise<int> p;
    auto f = p.get_future();
    f.on_done([&state] { benchmark::DoNotOptimize(&state); });
    p.set_value(1);
  }
}
BENCHMARK(make_on_done_set);

// Two fibers of one core, each waiting for the other's promise.
void ping_pong(benchmark::State& state) {
  weft::options wanted;
  wanted.cores = 1;
  weft::run(wanted, [&] {
    weft::promise<bool> ask;
    weft::promise<void> answer;
    auto other = weft::spawn([&] {
      for (;;) {
        auto asked = ask.get_future();
        const bool goes_on = asked.get();
        ask = weft::promise<bool>();
        answer.set_value();
        if (!goes_on) return;
      }
    });
    for (auto _ : state) {
      auto answered = answer.get_future();
      ask.set_value(true);
      answered.get();
      answer = weft::promise<void>();
    }
    ask.set_value(false);
    other.join();
  });
}
BENCHMARK(ping_pong);

weft::fiber_local<int> local_counter;
weft::context_local<int> context_number{"number", 1};

void fiber_local_get(benchmark::State& state) {
  weft::run([&] {
    for (auto _ : state) benchmark::DoNotOptimize(++*local_counter);
  });
}
BENCHMARK(fiber_local_get);

void context_local_get(benchmark::State& state) {
  weft::run([&] {
    context_number.set(2);
    for (auto _ : state) benchmark::DoNotOptimize(context_number.get());
  });
}
BENCHMARK(context_local_get);

void context_local_set(benchmark::State& state) {
  weft::run([&] {
    int i = 0;
    for (auto _ : state) context_number.set(++i);
  });
}
BENCHMARK(context_local_set);

// As spawn_and_join of fiber_bench, where a context is inherited.
void spawn_and_join_with_context(benchmark::State& state) {
  weft::options wanted;
  wanted.cores = 1;
  weft::run(wanted, [&] {
    context_number.set(2);
    for (auto _ : state) weft::spawn([] {}).join();
  });
}
BENCHMARK(spawn_and_join_with_context);

}  // namespace

BENCHMARK_MAIN();
