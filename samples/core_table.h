// What each core did, as a table.
#pragma once

#include <weft/statistics.h>

#include <cstdint>
#include <cstdio>

inline void print_core_table(const weft::runtime_statistics& all) {
  std::printf("%5s %12s %12s %12s %12s %12s\n", "core", "fibers", "switches", "steals", "polls", "parks");
  for (std::size_t i = 0; i < all.cores.size(); ++i) {
    const weft::core_statistics& core = all.cores[i];
    std::printf("%5zu", i);
    for (const auto value : {core.ended, core.switches, core.steals, core.polls, core.parks}) {
      std::printf(" %12ju", static_cast<std::uintmax_t>(value));
    }
    std::printf("\n");
  }
}
