// Close, cancel, timeout, send, receive and select on the same channels at the same moment: each value is received once,
// or is still with its sender.
#include "stress/stress.h"

#include <array>
#include <atomic>
#include <memory>

using namespace weft_test;

namespace {

std::chrono::nanoseconds short_while(std::mt19937_64& random) { return std::chrono::nanoseconds(random() % 50'000); }

// A value that knows whether it was dropped.
class parcel {
 public:
  explicit parcel(std::atomic<long>& lost) : lost_(&lost) { ++lost; }
  parcel(parcel&& other) noexcept : lost_(std::exchange(other.lost_, nullptr)) {}
  parcel& operator=(parcel&&) = delete;
  ~parcel() {
    if (lost_ != nullptr) dropped.fetch_add(1);
  }
  // Its end, as it should be.
  void accept() { --*std::exchange(lost_, nullptr); }
  static inline std::atomic<long> dropped{0};

 private:
  std::atomic<long>* lost_;
};

using channel = weft::channel<parcel>;

// Sends until the channel is closed or the fiber cancelled; what comes back is accepted by the sender itself.
void send_some(channel& to, channel& other, std::atomic<long>& lost, std::uint64_t seed) {
  std::mt19937_64 own(seed);
  for (;;) {
    parcel mine(lost);
    struct keeping {
      parcel& kept;
      bool is_gone = false;
      ~keeping() {
        if (!is_gone) kept.accept();
      }
    } at_end{mine};
    switch (own() % 4) {
      case 0:
        to.send(std::move(mine));
        at_end.is_gone = true;
        break;
      case 1:
        at_end.is_gone = to.send_for(std::move(mine), short_while(own));
        break;
      case 2:
        at_end.is_gone = to.try_send(std::move(mine));
        if (to.is_closed() && !at_end.is_gone) return;
        weft::this_fiber::yield();
        break;
      default:
        weft::select(weft::on_send(to, std::move(mine), [&] { at_end.is_gone = true; }),
                     weft::on_receive(other,
                                      [](std::optional<parcel> value) {
                                        if (value.has_value()) value->accept();
                                      }),
                     weft::on_timeout(short_while(own)));
    }
  }
}

void receive_some(channel& from, channel& other, std::uint64_t seed) {
  std::mt19937_64 own(seed);
  const auto accept = [](std::optional<parcel> value) {
    if (value.has_value()) value->accept();
  };
  while (!from.is_drained() || !other.is_drained()) {
    switch (own() % 4) {
      case 0:
        accept(from.receive_for(short_while(own)));
        break;
      case 1:
        accept(from.try_receive());
        weft::this_fiber::yield();
        break;
      case 2:
        accept(other.receive());
        break;
      default:
        weft::select(weft::on_receive(from, accept), weft::on_receive(other, accept),
                     weft::on_timeout(short_while(own)));
    }
  }
}

// The end of a sender or a receiver, which may come by a close or by a cancellation.
template <class Work>
auto until_closed(Work work) {
  return [work] {
    try {
      work();
    } catch (const weft::channel_closed&) {
    }
  };
}

}  // namespace

TEST(channel_stress, close_against_send_against_receive_against_cancel) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(60, 20, [&](auto& random) {
      std::atomic<long> lost{0};
      parcel::dropped = 0;
      {
        channel one(random() % 3), two(random() % 2 == 0 ? SIZE_MAX : random() % 20);
        std::vector<weft::fiber<void>> senders, receivers;
        for (int i = 0; i < 6; ++i) {
          channel &a = i % 2 == 0 ? one : two, &b = i % 2 == 0 ? two : one;
          senders.push_back(here.spawn(until_closed([&, seed = random()] { send_some(a, b, lost, seed); })));
          receivers.push_back(here.spawn(until_closed([&, seed = random()] { receive_some(b, a, seed); })));
        }
        for (int k = 0; k < 20; ++k) {
          (random() % 2 == 0 ? senders : receivers)[random() % 6].cancel();
          for (std::uint64_t i = random() % 3000; i > 0; --i) weft::detail::spin_pause();
          if (k == 10) one.close();
          if (k == 15) two.close();
        }
        for (auto* const crew : {&senders, &receivers}) {
          for (auto& f : *crew) {
            try {
              f.join();
            } catch (const weft::join_cancelled&) {
            }
          }
        }
        // What nobody received, because all receivers were cancelled, is still there.
        for (channel* const each : {&one, &two}) {
          while (auto value = each->try_receive()) {
            value->accept();
          }
        }
      }
      EXPECT_EQ(lost, 0);
      EXPECT_EQ(parcel::dropped, 0);
    });
    expect_nothing_left(here);
  });
}

TEST(channel_stress, selects_that_mirror_each_other_always_meet) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(20, 900, [&](auto&) {
      std::array<weft::channel<int>, 3> ring;
      std::atomic<long> balance{0};
      std::vector<weft::fiber<void>> crew;
      // Each fiber sends to one neighbour and receives from the other, until all have sent and received enough.
      for (std::size_t i = 0; i < 3; ++i) {
        crew.push_back(here.spawn([&, i] {
          int to_send = 300, to_receive = 300;
          while (to_send + to_receive > 0) {
            weft::select(weft::when(to_send > 0, weft::on_send(ring[i], 1,
                                                               [&] {
                                                                 --to_send;
                                                                 ++balance;
                                                               })),
                         weft::when(to_receive > 0, weft::on_receive(ring[(i + 1) % 3], [&](auto) {
                                      --to_receive;
                                      --balance;
                                    })));
          }
        }));
      }
      for (auto& f : crew) f.join();
      EXPECT_EQ(balance, 0);
    });
    expect_nothing_left(here);
  });
}

TEST(channel_stress, a_ball_between_a_plain_thread_and_a_fiber) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(20, 200, [&](auto& random) {
      weft::channel<int> there(random() % 2), back(random() % 2), never;
      auto f = here.spawn([&] {
        for (const int value : there)
          weft::select(weft::on_send(back, value + 1), weft::on_receive(never, [](auto) {}));
      });
      for (int i = 0; i < 200; ++i) {
        there.send(i);
        EXPECT_EQ(back.receive(), i + 1);
      }
      there.close();
      f.join();
    });
    expect_nothing_left(here);
  });
}

TEST(channel_stress, ends_of_fibers_meet_deadlines_and_cancellation_in_a_select) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(100, 30, [&](auto& random) {
      here.spawn([&, seed = random()] {
            std::mt19937_64 own(seed);
            for (int i = 0; i < 30; ++i) {
              const auto its_time = short_while(own), my_time = short_while(own);
              auto f = weft::spawn([its_time] { weft::this_fiber::sleep_for(its_time); });
              auto other = weft::spawn([] {});
              auto chooser = weft::spawn(
                  [&] { return weft::select(weft::on_join(f), weft::on_timeout(my_time), weft::on_join(other)); });
              if (own() % 4 == 0) {
                for (std::uint64_t k = own() % 4; k > 0; --k) weft::this_fiber::yield();
                chooser.cancel();
              }
              try {
                const std::size_t at = chooser.join();
                EXPECT_TRUE(at != 0 || f.done());
                EXPECT_TRUE(at != 2 || other.done());
              } catch (const weft::join_cancelled&) {
              }
              f.join();
              other.join();
            }
          })
          .join();
    });
    expect_nothing_left(here);
  });
}

TEST(channel_stress, readers_follow_a_watch_and_a_broadcast_to_the_end) {
  for_each_setting([](const setting& under) {
    weft::runtime here(under.options());
    stress(20, 100, [&](auto& random) {
      weft::watch<long> level(0);
      weft::broadcast<long> news(1 + random() % 8);
      const long last = 200;
      std::vector<weft::fiber<void>> crew;
      for (int i = 0; i < 4; ++i) {
        crew.push_back(here.spawn([reader = news.subscribe(), level = level.subscribe(), last]() mutable {
          long sum = 0, seen = 0;
          const auto read = [&](std::optional<long> value) {
            if (!value.has_value()) return;
            EXPECT_EQ(*value, seen + 1);
            seen = *value;
            sum += 1;
          };
          while (sum < last) {
            try {
              weft::select(weft::on_receive(reader, read), weft::on_receive(level, [](auto) {}));
            } catch (const weft::lagged& gap) {
              sum += static_cast<long>(gap.missed());
              seen += static_cast<long>(gap.missed());
            }
          }
        }));
      }
      for (long i = 1; i <= last; ++i) {
        news.send(i);
        if (random() % 4 == 0) level.set(i);
        if (random() % 8 == 0) std::this_thread::yield();
      }
      for (auto& f : crew) f.join();
    });
    expect_nothing_left(here);
  });
}
