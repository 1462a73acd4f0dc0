// Selects over descriptors and channels against writers, deadlines, cancellation and the end of the watch: no byte and no
// value is taken and dropped, and no select sleeps through what came.
#include "stress/stress.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <optional>

using namespace weft_test;

namespace {

std::chrono::nanoseconds short_while(std::mt19937_64& random) { return std::chrono::nanoseconds(random() % 50'000); }

struct line {
  line() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0); }
  line(const line&) = delete;
  line& operator=(const line&) = delete;
  ~line() {
    for (const int end : ends) close(end);
  }
  bool take() const {
    char c = 0;
    return read(ends[0], &c, 1) == 1;
  }
  void put() const { EXPECT_EQ(write(ends[1], "x", 1), 1); }
  std::array<int, 2> ends{};
};

struct tally {
  std::atomic<std::size_t> bytes{0}, values{0};
};

// Takes one of each kind again and again, until it is cancelled or both have come in full.
void take_all(const line& from, weft::watched_descriptor& input, weft::channel<int>& values, tally& taken,
              std::size_t most, std::uint64_t seed) {
  std::mt19937_64 own(seed);
  while (taken.bytes < most || taken.values < most) {
    const auto hear = [&] { taken.bytes += from.take() ? 1 : 0; };
    const auto receive = [&](std::optional<int> value) { taken.values += value.has_value() ? 1 : 0; };
    if (own() % 2 == 0) {
      weft::select(weft::on_readable(input, hear), weft::on_receive(values, receive));
    } else {
      weft::select_in_order(weft::on_receive(values, receive), weft::on_readable(input, hear),
                            weft::on_timeout(short_while(own)));
    }
  }
}

template <class R>
bool was_cancelled(weft::fiber<R>& f) {
  try {
    f.join();
  } catch (const weft::join_cancelled&) {
    return true;
  }
  return false;
}

}  // namespace

TEST(select_stress, bytes_and_values_reach_one_of_many_cancelled_selects) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(60, 20, [&](auto& random) {
      here.spawn([&] {
            const std::size_t most = 20 + random() % 60;
            const line pair;
            weft::watched_descriptor input(pair.ends[0]);
            weft::channel<int> values(random() % 2);
            tally taken;
            auto writer = weft::spawn([&, seed = random()] {
              std::mt19937_64 own(seed);
              for (std::size_t i = 0; i < most; ++i) {
                if (own() % 4 == 0) weft::this_fiber::sleep_for(short_while(own));
                pair.put();
              }
            });
            auto sender = weft::spawn([&] {
              for (std::size_t i = 0; i < most; ++i) values.send(1);
            });
            for (bool is_done = false; !is_done;) {
              auto taker = weft::spawn([&, seed = random()] { take_all(pair, input, values, taken, most, seed); });
              weft::this_fiber::sleep_for(short_while(random));
              if (random() % 8 != 0) taker.cancel();
              if (taken.bytes == most && taken.values == most) taker.cancel();
              is_done = !was_cancelled(taker) || (taken.bytes == most && taken.values == most);
            }
            writer.join();
            sender.join();
            EXPECT_EQ(taken.bytes, most);
            EXPECT_EQ(taken.values, most);
            EXPECT_FALSE(pair.take());
          })
          .join();
    });
  });
}

TEST(select_stress, the_end_of_the_watch_meets_events_and_cancellation) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(200, 1, [&](auto& random) {
      here.spawn([&] {
            const line pair;
            weft::watched_descriptor input(pair.ends[0]);
            weft::channel<int> idle;
            const auto wait = [&] {
              while (input.is_watched()) {
                weft::select(weft::on_readable(input), weft::on_receive(idle, [](std::optional<int>) {}));
                weft::this_fiber::yield();
              }
            };
            auto reads = weft::spawn(wait);
            auto puts = weft::spawn([&, seed = random()] {
              std::mt19937_64 own(seed);
              for (std::size_t i = own() % 8; i-- > 0;) {
                pair.put();
                if (own() % 2 == 0) weft::this_fiber::yield();
                static_cast<void>(pair.take());
              }
            });
            auto ends = weft::spawn([&, pause = short_while(random)] {
              weft::this_fiber::sleep_for(pause);
              input.unwatch();
            });
            if (random() % 2 == 0) {
              weft::this_fiber::sleep_for(short_while(random));
              reads.cancel();
            }
            was_cancelled(reads);
            puts.join();
            ends.join();
          })
          .join();
    });
  });
}
