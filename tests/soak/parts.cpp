#include "soak/parts.h"

#include "soak/echo.h"

#include <weft/weft.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace weft_soak {

using namespace std::chrono_literals;

void fail(const std::string& what) {
  std::fprintf(stderr, "soak: %s\n", what.c_str());
  std::abort();
}

namespace {

void done(std::uint64_t count) { operations.fetch_add(count, std::memory_order_relaxed); }

std::uint64_t sum_below(std::uint64_t n) { return n * (n - 1) / 2; }

std::chrono::nanoseconds short_while(random_numbers& random) { return std::chrono::nanoseconds(random() % 300'000); }

std::uint64_t tree_sum(std::uint64_t first, std::uint64_t count) {
  if (count == 1) return first;
  auto left = weft::spawn([=] { return tree_sum(first, count / 2); });
  const std::uint64_t right = tree_sum(first + count / 2, count - count / 2);
  return left.join() + right;
}

void trees(random_numbers& random) {
  const std::uint64_t leaves = 256 + random() % 2048;
  auto [one, two] = weft::gather([=] { return tree_sum(0, leaves); }, [=] { return tree_sum(leaves, leaves); });
  must(one + two == sum_below(2 * leaves), "a tree of fibers has lost or doubled a leaf");
  done(2 * leaves);
}

void channels(random_numbers& random) {
  const std::uint64_t each = 200 + random() % 800;
  const std::size_t producers = 1 + random() % 4, consumers = 1 + random() % 4;
  weft::channel<std::unique_ptr<std::uint64_t>> numbers(random() % 8);
  std::atomic<std::uint64_t> sum{0}, count{0};
  weft::with_scope([&](weft::scope& all) {
    for (std::size_t i = 0; i < consumers; ++i) {
      all.spawn([&] {
        for (auto& number : numbers) {
          sum += *number;
          ++count;
        }
      });
    }
    weft::with_scope([&](weft::scope& senders) {
      for (std::size_t i = 0; i < producers; ++i) {
        senders.spawn([&, i] {
          for (std::uint64_t n = 0; n < each; ++n) numbers.send(std::make_unique<std::uint64_t>(i * each + n));
        });
      }
    });
    numbers.close();
  });
  must(count == producers * each && sum == sum_below(producers * each), "a channel has lost or doubled a value");
  done(2 * producers * each);
}

void selects(random_numbers& random) {
  const std::uint64_t each = 200 + random() % 500;
  std::array<weft::channel<std::uint64_t>, 2> ways{weft::channel<std::uint64_t>(2), weft::channel<std::uint64_t>()};
  std::uint64_t sum = 0, count = 0;
  weft::with_scope([&](weft::scope& all) {
    all.spawn([&] {
      for (std::uint64_t n = 0; n < each; ++n) {
        while (weft::select(weft::on_send(ways[0], n), weft::on_send(ways[1], n), weft::on_timeout(100us)) == 2) {
        }
      }
      for (auto& way : ways) way.close();
    });
    bool open[2] = {true, true};
    const auto take = [&](int from) {
      return [&, from](std::optional<std::uint64_t> n) {
        open[from] = n.has_value();
        if (!n) return;
        sum += *n;
        ++count;
      };
    };
    while (open[0] || open[1]) {
      weft::select(weft::when(open[0], weft::on_receive(ways[0], take(0))),
                   weft::when(open[1], weft::on_receive(ways[1], take(1))));
    }
  });
  must(count == each && sum == sum_below(each), "a select has lost or doubled a value");
  done(2 * each);
}

void locks(random_numbers& random) {
  constexpr std::uint64_t fibers = 16;
  const std::uint64_t each = 50 + random() % 200;
  weft::mutex lock;
  weft::semaphore seats(3);
  std::uint64_t counted = 0;
  std::atomic<int> inside{0};
  weft::with_scope([&](weft::scope& crew) {
    for (std::uint64_t i = 0; i < fibers; ++i) {
      crew.spawn([&] {
        for (std::uint64_t n = 0; n < each; ++n) {
          {
            const std::scoped_lock hold(lock);
            ++counted;
            if (n % 16 == 0) weft::this_fiber::yield();
          }
          seats.acquire();
          must(++inside <= 3, "a semaphore has let in too many");
          if (n % 32 == 0) weft::this_fiber::yield();
          --inside;
          seats.release();
        }
      });
    }
  });
  must(counted == fibers * each, "a mutex has let in two at once");
  done(2 * fibers * each);
}

void timers(random_numbers& random) {
  std::atomic<int> cut{0}, slept{0};
  weft::with_scope([&](weft::scope& crew) {
    for (int i = 0; i < 64; ++i) {
      const auto nap = short_while(random);
      const bool is_cut = i % 2 == 0;
      crew.spawn([&, nap, is_cut] {
        const auto begin = std::chrono::steady_clock::now();
        try {
          weft::with_timeout(is_cut ? nap : 1h, [&] { weft::this_fiber::sleep_for(is_cut ? 1h : nap); });
          ++slept;
        } catch (const weft::timed_out&) {
          ++cut;
        }
        must(std::chrono::steady_clock::now() - begin >= nap, "a timer was early");
      });
    }
  });
  must(cut == 32 && slept == 32, "a timeout cut what it should not, or the other way round");
  done(64);
}

struct life {
  explicit life(std::atomic<int>& in) : count(in) { ++count; }
  ~life() { --count; }
  life(const life&) = delete;
  life& operator=(const life&) = delete;
  std::atomic<int>& count;
};

// Fibers that wait in one way or another, cancelled at a random moment.
void cancellations(random_numbers& random) {
  weft::mutex taken;
  weft::channel<int> never;
  weft::event not_set;
  std::atomic<int> alive{0};
  const std::scoped_lock hold(taken);
  std::vector<weft::fiber<void>> crowd;
  for (int i = 0; i < 48; ++i) {
    crowd.push_back(weft::spawn([&, i] {
      const life counted(alive);
      switch (i % 4) {
        case 0:
          return taken.lock();
        case 1:
          return void(never.receive());
        case 2:
          return not_set.wait();
        default:
          return weft::this_fiber::sleep_for(1h);
      }
    }));
  }
  if (random() % 2 == 0) weft::this_fiber::sleep_for(short_while(random));
  for (auto& fiber : crowd) fiber.cancel();
  for (auto& fiber : crowd) {
    try {
      fiber.join();
      fail("a cancelled fiber went on");
    } catch (const weft::join_cancelled&) {
    }
  }
  must(alive == 0, "a cancelled fiber was not unwound");
  done(crowd.size());
}

void failing_scopes(random_numbers& random) {
  const std::uint64_t culprit = random() % 16;
  std::atomic<int> alive{0};
  try {
    weft::with_scope([&](weft::scope& crew) {
      for (std::uint64_t i = 0; i < 16; ++i) {
        crew.spawn([&, i] {
          const life counted(alive);
          if (i == culprit) throw std::runtime_error("on purpose");
          weft::this_fiber::sleep_for(1h);
        });
      }
    });
    fail("an error got lost in a scope");
  } catch (const std::runtime_error& error) {
    must(error.what() == std::string("on purpose"), "a scope threw another error");
  }
  must(alive == 0, "a scope ended before its children");
  done(16);
}

void plain_threads(random_numbers& random) {
  const std::uint64_t sent = random() % 1000;
  weft::promise<std::uint64_t> promise;
  auto answer = promise.get_future();
  weft::channel<std::uint64_t> back(4);
  std::thread outside([&] {
    promise.set_value(sent);
    std::uint64_t sum = 0;
    while (const auto n = back.receive()) sum += *n;
    must(sum == sum_below(100), "a plain thread has missed a value");
  });
  must(answer.get() == sent, "a future brought another value");
  for (std::uint64_t n = 0; n < 100; ++n) back.send(n);
  back.close();
  outside.join();
  done(101);
}

constexpr part all_parts[] = {
    {"trees", &trees},
    {"channels", &channels},
    {"selects", &selects},
    {"locks", &locks},
    {"timers", &timers},
    {"cancellations", &cancellations},
    {"failing scopes", &failing_scopes},
    {"plain threads", &plain_threads},
    {"echo", &echo},
    {"broken connections", &broken_connections},
};

}  // namespace

std::span<const part> parts() noexcept { return all_parts; }

}  // namespace weft_soak
