// What a pooled stack costs, next to a bare loop that only guards and touches as many pages in the same
// batches: the ratio of the two is the arena's own share.
#include <benchmark/benchmark.h>
#include <sys/uio.h>

#include <algorithm>
#include <new>
#include <vector>

#include "context/stack_arena.h"
#include "context/stack_pool.h"
#include "platform/stack_memory.h"

namespace {

using namespace weft::detail;

struct alignas(64) bench_head : stack_head {
  char filler[256 - sizeof(stack_head)];
};

void make_head(void* memory, const stack_head& placed, std::uint64_t) noexcept {
  static_cast<stack_head&>(*new (memory) bench_head) = placed;
}

void bare_guarded_pages(benchmark::State& state) {
  auto const count = static_cast<std::size_t>(state.range(0));
  std::size_t const stride = default_stack_bytes + stack_guard_bytes;
  guard_kind const kind = best_guard_kind();
  for (auto _ : state) {
    std::byte* low = nullptr;
    if (reserve_memory(count * stride, low) != 0) return state.SkipWithError("no address space");
    iovec guards[stack_batch];
    for (std::size_t first = 0; first < count; first += stack_batch) {
      std::size_t const batch = std::min(stack_batch, count - first);
      for (std::size_t i = 0; i < batch; ++i) guards[i] = {low + (first + i) * stride, stack_guard_bytes};
      install_guards(kind, {guards, batch});
      for (std::size_t i = 1; i <= batch; ++i) low[(first + i) * stride - 256] = std::byte{1};
    }
    state.PauseTiming();
    release_memory(low, count * stride);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void new_stacks(benchmark::State& state) {
  auto const count = static_cast<std::size_t>(state.range(0));
  std::vector<stack_head*> taken(count);
  for (auto _ : state) {
    state.PauseTiming();
    auto* const arenas = new stack_arena_set({sizeof(bench_head), make_head});
    auto* const pool = new stack_pool(*arenas);
    state.ResumeTiming();
    for (stack_head*& each : taken) each = pool->take(default_stack_class);
    state.PauseTiming();
    if (taken.back() == nullptr) return state.SkipWithError(arenas->last_error().c_str());
    delete pool;
    delete arenas;
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void take_and_give_a_warm_stack(benchmark::State& state) {
  stack_arena_set arenas({sizeof(bench_head), make_head});
  stack_pool pool(arenas);
  for (auto _ : state) {
    stack_head* const stack = pool.take(default_stack_class);
    benchmark::DoNotOptimize(stack);
    pool.give(stack);
    benchmark::ClobberMemory();
  }
}

BENCHMARK(bare_guarded_pages)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(new_stacks)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(take_and_give_a_warm_stack);

}  // namespace

BENCHMARK_MAIN();
