// Whole programs of fibers that talk through channels only.
#include "support/with_cores.h"

#include <memory>
#include <optional>

using namespace weft_test;

namespace {

using numbers = weft::channel<int>;

// Passes on what is no multiple of a prime; each stage is the receiver of the one before.
int prime_at(std::size_t n, std::size_t capacity) {
  std::vector<std::unique_ptr<numbers>> stages;
  std::vector<weft::fiber<void>> crew;
  stages.push_back(std::make_unique<numbers>(capacity));
  crew.push_back(weft::spawn([out = stages[0].get()] {
    for (int i = 2;; ++i) out->send(i);
  }));
  int prime = 0;
  for (std::size_t i = 0; i < n; ++i) {
    numbers* const in = stages.back().get();
    prime = *in->receive();
    stages.push_back(std::make_unique<numbers>(capacity));
    crew.push_back(weft::spawn([in, out = stages.back().get(), prime] {
      for (const int value : *in) {
        if (value % prime != 0) out->send(value);
      }
    }));
  }
  for (auto& f : crew) f.cancel();
  for (auto& f : crew) EXPECT_THROW(f.join(), weft::join_cancelled);
  return prime;
}

// The sum of two series, term by term: each term is asked for, and comes when it is there.
struct series {
  weft::channel<int> request;
  weft::channel<long> term;
};

void serve(series& s, long first, long factor) {
  try {
    for (long value = first;; value *= factor) {
      if (!s.request.receive().has_value()) return;
      s.term.send(value);
    }
  } catch (const weft::channel_closed&) {
  }
}

// Asks both for a term, and takes the answers in the order in which they come.
void add(series& out, series& one, series& two) {
  while (out.request.receive().has_value()) {
    weft::channel<long>*from_one = nullptr, *from_two = nullptr;
    numbers *ask_one = &one.request, *ask_two = &two.request;
    long sum = 0;
    for (int left = 4; left > 0; --left) {
      weft::select(weft::on_send(ask_one, 1,
                                 [&] {
                                   ask_one = nullptr;
                                   from_one = &one.term;
                                 }),
                   weft::on_send(ask_two, 1,
                                 [&] {
                                   ask_two = nullptr;
                                   from_two = &two.term;
                                 }),
                   weft::on_receive(from_one,
                                    [&](std::optional<long> value) {
                                      sum += *value;
                                      from_one = nullptr;
                                    }),
                   weft::on_receive(from_two, [&](std::optional<long> value) {
                     sum += *value;
                     from_two = nullptr;
                   }));
    }
    out.term.send(sum);
  }
  one.request.close();
  two.request.close();
}

}  // namespace

WEFT_TEST(channel_programs, a_sieve_of_fibers_finds_primes) {
  EXPECT_EQ(prime_at(repeated(60, 20), 0), repeated(60, 20) == 60 ? 281 : 71);
  EXPECT_EQ(prime_at(20, 3), 71);
}

WEFT_TEST(channel_programs, power_series_add_up_term_by_term) {
  series powers_of_two, powers_of_three, sum, total, ones;
  std::vector<weft::fiber<void>> crew;
  crew.push_back(weft::spawn([&] { serve(powers_of_two, 1, 2); }));
  crew.push_back(weft::spawn([&] { serve(powers_of_three, 1, 3); }));
  crew.push_back(weft::spawn([&] { serve(ones, 1, 1); }));
  crew.push_back(weft::spawn([&] { add(sum, powers_of_two, powers_of_three); }));
  crew.push_back(weft::spawn([&] { add(total, sum, ones); }));
  long two = 1, three = 1;
  for (int i = 0; i < 30; ++i, two *= 2, three *= 3) {
    total.request.send(1);
    ASSERT_EQ(total.term.receive(), two + three + 1);
  }
  total.request.close();
  for (auto& f : crew) f.join();
}

// Two selects that each send on one channel and receive on the other through a relay: each round trip must come back.
WEFT_TEST(channel_programs, a_double_select_drops_nothing) {
  weft::channel<int> a, b, merged;
  const int count = static_cast<int>(repeated(1'000, 100));
  weft::channel<int> done;
  auto sender = weft::spawn([&] {
    for (int i = 0; i < count; ++i) {
      weft::select(weft::on_send(a, i), weft::on_send(b, i));
    }
    a.close();
    b.close();
  });
  const auto relay = [&](weft::channel<int>& from) {
    for (const int value : from) weft::select(weft::on_send(merged, value), weft::on_receive(done, [](auto) {}));
  };
  auto one = weft::spawn([&] { relay(a); });
  auto two = weft::spawn([&] { relay(b); });
  auto closer = weft::spawn([&] {
    one.join();
    two.join();
    merged.close();
  });
  std::vector<int> seen(static_cast<std::size_t>(count), 0);
  for (const int value : merged) ++seen[static_cast<std::size_t>(value)];
  for (const int times : seen) ASSERT_EQ(times, 1);
  sender.join();
  closer.join();
}

WEFT_TEST(channel_programs, two_producers_share_a_select_fairly) {
  weft::channel<int> a, b;
  std::atomic<bool> stop{false};
  const auto produce = [&](weft::channel<int>& ch) {
    while (!stop) ch.send_for(1, 1ms);
  };
  auto one = weft::spawn([&] { produce(a); });
  auto two = weft::spawn([&] { produce(b); });
  int from_a = 0, from_b = 0;
  const int count = static_cast<int>(repeated(2'000, 200));
  while (from_a + from_b < count) {
    weft::select(weft::on_receive(a, [&](auto) { ++from_a; }), weft::on_receive(b, [&](auto) { ++from_b; }));
  }
  stop = true;
  one.join();
  two.join();
  if (current_setting.cores == 1) {  // On several, the quicker core may well be quicker.
    EXPECT_GT(from_a, count / 5);
    EXPECT_GT(from_b, count / 5);
  }
}
