// Plain threads for the tests of what is below the runtime.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include <weft/detail/atomic.h>

namespace weft_test {

// Runs `body(0)` to `body(count - 1)`, each in a thread, and joins them. They start together, as far as that
// can be.
inline void run_together(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> waiting{count};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      --waiting;
      while (waiting.load() != 0) std::this_thread::yield();
      body(i);
    });
  }
  for (std::thread& each : threads) each.join();
}

// What a stress test does `count` times, it does less often where each access is instrumented.
constexpr std::size_t stress_count(std::size_t count) {
#if defined(WEFT_TSAN) || defined(WEFT_ASAN)
  return count / 10;
#else
  return count;
#endif
}

// How a thread waits without sleeping: it stays close to the race, but lets the others run if there are fewer
// cores.
class patience {
 public:
  void wait() {
    if (++rounds_ % 256 == 0) {
      std::this_thread::yield();
    } else {
      weft::detail::spin_pause();
    }
  }

 private:
  unsigned rounds_ = 0;
};

}  // namespace weft_test
