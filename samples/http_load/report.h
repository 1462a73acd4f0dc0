// What a run has come to.
#pragma once

#include "totals.h"

#include <weft/statistics.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace http_load {

struct report {
  std::size_t connections;
  std::size_t depth;
  double seconds;
  const totals& results;
  const weft::runtime_statistics& cores;
};

// For people: a few lines.
std::string to_text(const report& run);

// For programs: one line of JSON. Latencies are in microseconds.
std::string to_json(const report& run);

}  // namespace http_load
