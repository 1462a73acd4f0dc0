// Plain calls: the floor.
#include "../support/fork_join.h"
#include "../support/race.h"

namespace {

[[gnu::noinline]] std::uint64_t fib(std::uint64_t n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 27);
  const auto result = race::measured([&] { return fib(what.size); });
  return race::report("fib", "serial", what, race::fib_calls(what.size), result, race::fib(what.size));
}
