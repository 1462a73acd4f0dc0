// The first primes, found by a chain of fibers: each lets through what is no multiple of its own prime.
//
// usage: prime_sieve [COUNT]
#include <weft/weft.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <list>
#include <stdexcept>
#include <string>

namespace {

using numbers = weft::channel<int>;

std::size_t count_from(int argument_count, char** arguments) {
  if (argument_count < 2) return 20;
  const char* const end = arguments[1] + std::strlen(arguments[1]);
  std::size_t count = 0;
  const auto [stop, error] = std::from_chars(arguments[1], end, count);
  if (argument_count > 2 || error != std::errc{} || stop != end || count > 10'000) {
    throw std::invalid_argument("usage: prime_sieve [COUNT], at most 10000");
  }
  return count;
}

void print_primes(std::size_t count) {
  std::list<numbers> stages(1);  // Each is what the next stage reads; a channel does not move.
  std::list<weft::fiber<void>> crew;
  crew.push_back(weft::spawn([&out = stages.back()] {
    for (int n = 2;; ++n) out.send(n);
  }));
  for (std::size_t i = 0; i < count; ++i) {
    numbers& in = stages.back();
    const int prime = *in.receive();
    std::printf("%d\n", prime);
    numbers& out = stages.emplace_back();
    crew.push_back(weft::spawn([&in, &out, prime] {
      for (const int n : in) {
        if (n % prime != 0) out.send(n);
      }
    }));
  }
  // The end of `crew` cancels the fibers, wherever they wait, before the end of `stages`.
}

}  // namespace

int main(int argument_count, char** arguments) try {
  const std::size_t count = count_from(argument_count, arguments);
  weft::run([count] { print_primes(count); });
} catch (const std::exception& failed) {
  std::fprintf(stderr, "prime_sieve: %s\n", failed.what());
  return 2;
}
