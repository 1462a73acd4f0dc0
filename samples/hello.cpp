// The smallest program: a runtime, two fibers, a result.
#include <weft/weft.h>

#include <cstdio>

int main() {
  return weft::run([] {
    auto answer = weft::spawn([] { return 42; });
    std::printf("hello from core %zu, the answer is %d\n", weft::this_fiber::core(), answer.join());
    return 0;
  });
}
