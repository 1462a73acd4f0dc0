// The Fibonacci number by forking at every call: the bare price of a fork. An item is one call.
#include "../support/fork_join.h"
#include "../support/race.h"

#include <weft/weft.h>

namespace {

std::uint64_t fib(std::uint64_t n) {
  if (n < 2) return n;
  const auto [a, b] = weft::gather([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
  return a + b;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 27);
  const auto result = weft::run({.cores = what.cores}, [&] { return race::measured([&] { return fib(what.size); }); });
  return race::report("fib", "weft", what, race::fib_calls(what.size), result, race::fib(what.size));
}
