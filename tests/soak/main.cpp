// Everything that weft does, at random and for a long time, in runtimes that last and in runtimes that do not. Each part
// checks its results; between rounds the program looks at what it holds, and ends with status 1 if that grows.
//
//   weft_soak --minutes 60        or --seconds 10; --seed N repeats a run's choices
#include "soak/parts.h"
#include "soak/watch.h"

#include <weft/weft.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace weft_soak {
namespace {

using std::chrono::steady_clock;

struct plan {
  double seconds = 60;
  std::uint64_t seed = static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count());
};

plan plan_of(int count, char** words) {
  plan wanted;
  for (int i = 1; i + 1 < count; i += 2) {
    if (std::strcmp(words[i], "--minutes") == 0) {
      wanted.seconds = 60 * std::atof(words[i + 1]);
    } else if (std::strcmp(words[i], "--seconds") == 0) {
      wanted.seconds = std::atof(words[i + 1]);
    } else if (std::strcmp(words[i], "--seed") == 0) {
      wanted.seed = std::strtoull(words[i + 1], nullptr, 0);
    } else {
      fail("unknown argument " + std::string(words[i]) + " (known: --minutes M, --seconds S, --seed N)");
    }
  }
  if (count % 2 == 0 || !(wanted.seconds > 0)) fail("--minutes and --seconds take a number above 0");
  return wanted;
}

weft::options options_of(std::size_t cores, random_numbers& random) {
  weft::options wanted;
  wanted.cores = cores;
  wanted.migration = random() % 2 == 0 ? weft::migration::at_start : weft::migration::free;
  static constexpr weft::reactor_mode modes[] = {weft::reactor_mode::adaptive, weft::reactor_mode::dedicated,
                                                 weft::reactor_mode::inlined};
  wanted.reactor = modes[random() % 3];
  wanted.on_lost_error = [](const weft::lost_error&) { fail("an error got lost"); };
  return wanted;
}

// Several parts at once, chosen at random.
void mix(random_numbers& random, std::size_t width) {
  weft::with_scope([&](weft::scope& all) {
    for (std::size_t i = 0; i < width; ++i) {
      const part& chosen = parts()[random() % parts().size()];
      all.spawn({.name = chosen.name}, [&chosen, seed = random()] {
        random_numbers own(seed);
        chosen.run(own);
      });
    }
  });
}

void run_in(weft::runtime& here, random_numbers& random, std::size_t width) {
  here.spawn({.name = "mix"}, [&random, width] { mix(random, width); }).join();
  const auto limit = steady_clock::now() + std::chrono::seconds(10);
  while (steady_clock::now() < limit) {
    const weft::runtime_statistics now = here.statistics();
    const bool stacks_are_back = now.stacks_in_use == 0 || now.stacks_in_use == now.cores.size();
    if (now.live_fibers == 0 && now.descriptors == 0 && stacks_are_back) return;
    std::this_thread::yield();
  }
  const weft::runtime_statistics left = here.statistics();
  fail("left behind: " + std::to_string(left.live_fibers) + " fibers, " + std::to_string(left.stacks_in_use) +
       " stacks, " + std::to_string(left.descriptors) + " descriptors");
}

int run(const plan& wanted) {
  std::printf("soak: %.0f s, --seed %llu\n", wanted.seconds, static_cast<unsigned long long>(wanted.seed));
  random_numbers random(wanted.seed);
  const std::size_t all = std::max(1u, std::thread::hardware_concurrency());
  weft::options lasting = options_of(all, random), migrating = options_of(all, random);
  lasting.migration = weft::migration::at_start;
  migrating.migration = weft::migration::free;
  weft::runtime houses[] = {weft::runtime(lasting), weft::runtime(migrating)};
  flatness flat(wanted.seconds);
  const auto begin = steady_clock::now();
  double next_line = 0;
  for (std::uint64_t rounds = 0;; ++rounds) {
    run_in(houses[rounds % 2], random, 6);
    if (rounds % 8 == 0) {
      weft::runtime passing(options_of(1 + random() % (2 * all), random));
      run_in(passing, random, 3);
    }
    const double at = std::chrono::duration<double>(steady_clock::now() - begin).count();
    const holdings held = holdings::now();
    flat.look(at, held);
    if (at >= next_line || at >= wanted.seconds) {
      next_line = at + 5;
      const weft::runtime_statistics one = houses[0].statistics(), two = houses[1].statistics();
      std::printf("%6.0f s  %llu rounds  %llu operations  %zu KiB  %zu descriptors  %zu stacks  %llu fibers\n", at,
                  static_cast<unsigned long long>(rounds + 1), static_cast<unsigned long long>(operations.load()),
                  held.resident_kib, held.descriptors,
                  one.stacks_in_use + one.stacks_pooled + two.stacks_in_use + two.stacks_pooled,
                  static_cast<unsigned long long>(one.live_fibers + two.live_fibers));
      std::fflush(stdout);
    }
    if (at >= wanted.seconds) break;
  }
  flat.finish();
  std::printf("soak: well; memory %zu KiB in the second tenth of the run, %zu KiB at its end\n", flat.first_kib(),
              flat.last_kib());
  return 0;
}

}  // namespace
}  // namespace weft_soak

int main(int count, char** words) { return weft_soak::run(weft_soak::plan_of(count, words)); }
