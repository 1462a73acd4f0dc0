// A program outside weft's tree, built against an installed weft by pkg-config and by CMake.
#include <weft/weft.h>

#include <cstdio>

int main() {
  return weft::run([] {
    auto answer = weft::spawn([] { return 42; });
    std::printf("the answer is %d\n", answer.join());
    return 0;
  });
}
