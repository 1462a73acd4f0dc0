// A runtime in which nothing happens: every fiber waits for what does not come until standard input ends.
#include <weft/weft.h>

#include <cstdio>

int main() {
  weft::options wanted;
  wanted.cores = 2;
  weft::runtime quiet(wanted);
  weft::mutex m;
  weft::condition_variable never;
  auto waiting = quiet.spawn([&] {
    std::unique_lock hold(m);
    never.wait(hold);
  });
  std::puts("waiting");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  waiting.cancel();
  try {
    waiting.join();
  } catch (const weft::join_cancelled&) {
    return 0;
  }
  return 1;
}
