// Fibers for gdb_test.py to look at: says `waiting` when they wait, and ends when its input does.
#include <weft/scope.h>
#include <weft/this_fiber.h>
#include <weft/weft.h>

#include <cstdio>

namespace {

__attribute__((noinline)) void wait_deep_inside(weft::event& go, int depth) {
  if (depth > 0) {
    wait_deep_inside(go, depth - 1);
  } else {
    go.wait();
  }
  __asm__ __volatile__("");  // No tail call.
}

}  // namespace

int main() {
  weft::options wanted;
  wanted.cores = 1;  // So that nobody takes the child that its parent calls.
  weft::runtime here(wanted);
  weft::event go;
  auto first = here.spawn({.name = "first"}, [&] { wait_deep_inside(go, 2); });
  auto second = here.spawn({.name = "second"}, [&] { first.join(); });
  auto parent = here.spawn({.name = "parent"}, [&] {
    weft::with_scope([&](weft::scope& crew) { crew.spawn({.name = "called"}, [&] { go.wait(); }); });
  });
  for (bool all_wait = false; !all_wait;) {
    const weft::runtime_dump now = here.dump();
    all_wait = now.fibers.size() == 4;
    for (const weft::fiber_dump& each : now.fibers) all_wait &= each.state == weft::fiber_state::waiting;
  }
  std::puts("waiting");
  std::fflush(stdout);
  std::getchar();
  go.set();
  second.join();
  parent.join();
}
