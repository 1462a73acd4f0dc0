// What a message and a select cost. Times are per iteration.
#include <benchmark/benchmark.h>
#include <weft/weft.h>

#include <cstdint>
#include <vector>

namespace {

// Google Benchmark calls a benchmark on a plain thread; its loop then runs inside of a fiber.
template <class Loop>
void in_fiber(benchmark::State& state, Loop loop, std::size_t cores = 1) {
  weft::options wanted;
  wanted.cores = cores;
  weft::run(wanted, [&] { loop(state); });
}

// One fiber sends, another one receives: an iteration is one message.
void message(benchmark::State& state) {
  in_fiber(
      state,
      [](benchmark::State& s) {
        weft::channel<std::uint64_t> ch(static_cast<std::size_t>(s.range(0)));
        auto receiver = weft::spawn([&ch] {
          std::uint64_t sum = 0;
          for (const std::uint64_t value : ch) sum += value;
          return sum;
        });
        std::uint64_t sent = 0;
        for (auto _ : s) ch.send(sent++);
        ch.close();
        benchmark::DoNotOptimize(receiver.join());
      },
      static_cast<std::size_t>(state.range(1)));
}
BENCHMARK(message)->ArgNames({"capacity", "cores"})->ArgsProduct({{0, 1, 128, 1024}, {1, 2}})->UseRealTime();

// The same with each of the two on a core of its own.
void message_across_cores(benchmark::State& state) {
  in_fiber(
      state,
      [](benchmark::State& s) {
        weft::channel<std::uint64_t> ch(static_cast<std::size_t>(s.range(0)));
        auto receiver = weft::spawn({.core = 1}, [&ch] {
          std::uint64_t sum = 0;
          for (const std::uint64_t value : ch) sum += value;
          return sum;
        });
        auto sender = weft::spawn({.core = 0}, [&] {
          std::uint64_t sent = 0;
          for (auto _ : s) ch.send(sent++);
          ch.close();
        });
        sender.join();
        benchmark::DoNotOptimize(receiver.join());
      },
      2);
}
BENCHMARK(message_across_cores)->ArgName("capacity")->Arg(0)->Arg(128)->Arg(1024)->UseRealTime();

// Four fibers send, four others receive.
void message_of_many(benchmark::State& state) {
  in_fiber(
      state,
      [](benchmark::State& s) {
        constexpr std::uint64_t messages = 1'000'000, crew = 4;
        for (auto _ : s) {
          weft::channel<std::uint64_t> ch(static_cast<std::size_t>(s.range(0)));
          std::vector<weft::fiber<void>> senders, receivers;
          for (std::uint64_t k = 0; k < crew; ++k) {
            senders.push_back(weft::spawn([&ch] {
              for (std::uint64_t i = 0; i < messages / crew; ++i) ch.send(i);
            }));
            receivers.push_back(weft::spawn([&ch] {
              std::uint64_t sum = 0;
              for (const std::uint64_t value : ch) sum += value;
              benchmark::DoNotOptimize(sum);
            }));
          }
          for (auto& f : senders) f.join();
          ch.close();
          for (auto& f : receivers) f.join();
        }
        s.SetItemsProcessed(static_cast<std::int64_t>(messages) * s.iterations());
      },
      static_cast<std::size_t>(state.range(1)));
}
BENCHMARK(message_of_many)
    ->ArgNames({"capacity", "cores"})
    ->ArgsProduct({{0, 128, 1024}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void message_unbounded(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    auto ch = weft::channel<std::uint64_t>::unbounded();
    auto receiver = weft::spawn([&ch] {
      std::uint64_t sum = 0;
      for (const std::uint64_t value : ch) sum += value;
      return sum;
    });
    std::uint64_t sent = 0;
    for (auto _ : s) ch.send(sent++);
    ch.close();
    benchmark::DoNotOptimize(receiver.join());
  });
}
BENCHMARK(message_unbounded);

// A fiber alone: no one waits.
void send_and_receive(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    weft::channel<std::uint64_t> ch(1);
    for (auto _ : s) {
      ch.send(1);
      benchmark::DoNotOptimize(ch.receive());
    }
  });
}
BENCHMARK(send_and_receive);

// Two channels that have a value each.
void select_of_two_ready(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    weft::channel<std::uint64_t> one(1), two(1);
    one.send(1);
    two.send(2);
    std::uint64_t sum = 0;
    for (auto _ : s) {
      weft::select(weft::on_receive(one,
                                    [&](std::optional<std::uint64_t> value) {
                                      sum += *value;
                                      one.try_send(*value);
                                    }),
                   weft::on_receive(two, [&](std::optional<std::uint64_t> value) {
                     sum += *value;
                     two.try_send(*value);
                   }));
    }
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK(select_of_two_ready);

// The same without putting a value back: closed channels are ready, too.
void select_of_two_closed(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    weft::channel<std::uint64_t> one, two;
    one.close();
    two.close();
    std::uint64_t sum = 0;
    for (auto _ : s) {
      weft::select(weft::on_receive(one, [&](std::optional<std::uint64_t>) { sum += 1; }),
                   weft::on_receive(two, [&](std::optional<std::uint64_t>) { sum += 2; }));
    }
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK(select_of_two_closed);

// A value comes through one of two channels, each to a select that waits for it: what the sender costs is included.
void select_of_two_that_waits(benchmark::State& state) {
  in_fiber(state, [](benchmark::State& s) {
    weft::channel<std::uint64_t> one, two, back;
    auto selecting = weft::spawn([&] {
      bool is_open = true;
      const auto take = [&](std::optional<std::uint64_t> value) { is_open = value.has_value(); };
      while (is_open) weft::select(weft::on_receive(one, take), weft::on_receive(two, take));
    });
    std::uint64_t sent = 0;
    for (auto _ : s) {
      (sent % 2 == 0 ? one : two).send(sent);
      ++sent;
    }
    one.close();
    selecting.join();
  });
}
BENCHMARK(select_of_two_that_waits);

}  // namespace

BENCHMARK_MAIN();
