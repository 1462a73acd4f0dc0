// No wait allocates: every call that blocks is made a few times, and from then on the program's allocations are counted.
// A program of its own, since it replaces operator new.
#include "support/waiting.h"

#include <weft/net/tcp.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <numeric>
#include <shared_mutex>

namespace {
std::atomic<std::size_t> allocations{0};

void* counted_memory(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes) != 0) throw std::bad_alloc();
  return memory;
}
}  // namespace

// Not inlined: g++ sees through half of a pair, and takes them for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted_memory(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted_memory(bytes, static_cast<std::size_t>(alignment));
}
// Sanitizers replace this form, too, and would see one hand allocate and the other free.
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return counted_memory(bytes, alignof(std::max_align_t));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace weft_test;

namespace {

// Calls `round` a few times, and expects that afterwards `rounds` more of them allocate nothing.
template <class Round>
void expect_no_allocation(const char* what, Round round, std::size_t rounds = 200) {
  for (int i = 0; i < 20; ++i) round();
  const std::size_t before = allocations;
  for (std::size_t i = 0; i < rounds; ++i) round();
  EXPECT_EQ(allocations - before, 0u) << what;
}

// Each core has records and stacks of its own, and gets the first ones when it first starts a child.
void start_children_on_every_core() {
  for (std::size_t i = 0; i < current_setting.cores; ++i) {
    weft::spawn({.core = i}, [] {
      weft::with_scope([](weft::scope& crew) {
        for (int child = 0; child < 8; ++child) crew.spawn([] { weft::this_fiber::yield(); });
      });
      weft::gather([] { weft::this_fiber::yield(); }, [] { weft::this_fiber::yield(); });
    }).join();
  }
}

// Two fibers in turn: whatever the other one does, this one waits for it.
struct partner {
  weft::semaphore go{0};
  std::atomic<bool> enough{false};
  weft::fiber<void> fiber;

  template <class F>
  explicit partner(F f)
      : fiber(weft::spawn([this, f] {
          for (;;) {
            go.acquire();
            if (enough) return;
            f();
          }
        })) {}
  ~partner() {
    enough = true;
    go.release();
    fiber.join();
  }
};

}  // namespace

// Without a watchdog: once a second it looks at all fibers, and allocates for that.
#define NO_ALLOCATION_TEST(name)                                                            \
  static void name();                                                                       \
  TEST(no_allocation, name) {                                                               \
    with_cores(adaptive_only, &name, [](weft::options& wanted) { wanted.watchdog = 0ns; }); \
  }                                                                                         \
  static void name()

NO_ALLOCATION_TEST(by_signals_and_locks) {
  weft::event told;
  weft::auto_reset_event turn;
  weft::semaphore permits(0);
  weft::mutex gate;
  weft::shared_mutex shared;
  weft::condition_variable condition;
  bool flag = false;
  {
    partner sets([&] { told.set(); });
    expect_no_allocation("event", [&] {
      told.clear();
      sets.go.release();
      told.wait();
    });
  }
  {
    partner sets([&] { turn.set(); });
    expect_no_allocation("auto_reset_event", [&] {
      sets.go.release();
      EXPECT_TRUE(turn.wait_for(1h));
    });
  }
  {
    partner gives([&] { permits.release(); });
    expect_no_allocation("semaphore", [&] {
      gives.go.release();
      permits.acquire();
    });
  }
  {
    partner locks([&] {
      const std::lock_guard hold(gate);
      const std::lock_guard writes(shared);
      weft::this_fiber::yield();
    });
    expect_no_allocation("mutex and shared_mutex", [&] {
      locks.go.release();
      weft::this_fiber::yield();
      const std::unique_lock hold(gate, 1h);
      const std::shared_lock reads(shared);
    });
  }
  {
    partner notifies([&] {
      const std::lock_guard hold(gate);
      flag = true;
      condition.notify_one();
    });
    expect_no_allocation("condition_variable", [&] {
      std::unique_lock lock(gate);
      flag = false;
      notifies.go.release();
      condition.wait(lock, [&] { return flag; });
    });
  }
  {
    weft::barrier meeting(2);
    partner comes([&] { meeting.arrive_and_wait(); });
    expect_no_allocation("barrier", [&] {
      comes.go.release();
      meeting.arrive_and_wait();
    });
  }
  {
    std::optional<weft::latch> done;
    partner counts([&] { done->count_down(); });
    expect_no_allocation("latch", [&] {
      done.emplace(1);
      counts.go.release();
      done->wait();
    });
  }
}

NO_ALLOCATION_TEST(by_channels) {
  weft::channel<int> bounded(1), rendezvous(0);
  {
    partner sends([&] {
      for (int i = 0; i < 3; ++i) bounded.send(i);
      rendezvous.send(3);
    });
    expect_no_allocation("channel", [&] {
      sends.go.release();
      for (int i = 0; i < 3; ++i) EXPECT_EQ(bounded.receive(), i);
      EXPECT_EQ(rendezvous.receive_for(1h), 3);
    });
    expect_no_allocation("select", [&] {
      sends.go.release();
      int got = 0;
      while (got < 4) {
        weft::select(weft::on_receive(bounded, [&](std::optional<int>) { ++got; }),
                     weft::on_receive(rendezvous, [&](std::optional<int>) { ++got; }), weft::on_timeout(1h));
      }
    });
  }
}

NO_ALLOCATION_TEST(by_sleeps_timeouts_and_shields) {
  expect_no_allocation("yield", [] { weft::this_fiber::yield(); });
  expect_no_allocation("sleep", [] { weft::this_fiber::sleep_for(1us); });
  expect_no_allocation("timeout",
                       [] { weft::with_timeout(1h, [] { weft::shield([] { weft::this_fiber::yield(); }); }); });
  weft::event never;
  expect_no_allocation(
      "a wait that times out", [&] { EXPECT_FALSE(never.wait_for(1us)); }, 50);
}

NO_ALLOCATION_TEST(by_spawns_joins_and_scopes) {
  start_children_on_every_core();
  // Records come out of slabs, which grow in chunks: a few children at a time fit into the first ones.
  expect_no_allocation("spawn and join", [] {
    EXPECT_EQ(weft::spawn([] {
                weft::this_fiber::yield();
                return 1;
              }).join(),
              1);
  });
  expect_no_allocation("scope", [] {
    weft::with_scope([](weft::scope& crew) {
      for (int i = 0; i < 4; ++i) crew.spawn([] { weft::this_fiber::yield(); });
    });
  });
  expect_no_allocation("gather", [] {
    auto [a, b] = weft::gather([] { return 1; }, [] { return 2; });
    EXPECT_EQ(a + b, 3);
  });
}

NO_ALLOCATION_TEST(by_a_gather_of_a_short_range_but_for_its_result) {
  start_children_on_every_core();
  std::array<int, 10> numbers{};
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto adding = [](int& number) { return [&number] { return number + 1; }; };
  std::vector<decltype(adding(numbers[0]))> calls;
  for (int& each : numbers) calls.push_back(adding(each));
  const auto round = [&calls] { EXPECT_EQ(weft::gather(calls).back(), 10); };
  for (int i = 0; i < 20; ++i) round();
  const std::size_t before = allocations;
  for (int i = 0; i < 200; ++i) round();
  EXPECT_EQ(allocations - before, 200u);
}

NO_ALLOCATION_TEST(by_steps_of_a_range_of_fibers) {
  weft::semaphore go(0);
  std::vector<weft::fiber<void>> crowd;
  for (int i = 0; i < 300; ++i) crowd.push_back(weft::spawn([&] { go.acquire(); }));
  auto view = weft::as_completed(crowd);
  go.release();
  auto at = view.begin();
  const std::size_t before = allocations;
  for (int i = 1; i < 300; ++i) {
    go.release();
    ++at;
    (*at).join();
  }
  EXPECT_EQ(allocations - before, 0u);
  go.release();
}

NO_ALLOCATION_TEST(by_futures) {
  std::array<weft::promise<int>, 50> to;
  std::array<weft::future<int>, 50> from;
  for (std::size_t i = 0; i < to.size(); ++i) from[i] = to[i].get_future();
  std::size_t next = 0;
  partner sets([&] { to[next++].set_result(1); });
  std::size_t at = 0;
  const std::size_t before = allocations;
  for (; at < to.size(); ++at) {
    sets.go.release();
    EXPECT_EQ(from[at].get(), 1);
  }
  EXPECT_EQ(allocations - before, 0u);
}

NO_ALLOCATION_TEST(by_sockets) {
  weft::net::tcp_listener listener(weft::net::endpoint("127.0.0.1:0"));
  weft::net::tcp_stream client = weft::net::tcp_stream::connect(listener.local_endpoint());
  weft::net::tcp_stream server = listener.accept();
  partner answers([&] {
    std::byte word[4];
    EXPECT_EQ(server.read_exactly(word), 4u);
    server.write(word);
  });
  expect_no_allocation("read and write", [&] {
    answers.go.release();
    std::byte word[4] = {};
    client.write(word, 1h);
    EXPECT_EQ(client.read_exactly(word, 1h), 4u);
  });
}
