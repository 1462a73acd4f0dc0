// Options of runtimes in models: nothing that a process keeps beyond an execution, and no looking on before a sleep.
#pragma once

#include <weft/options.h>

#include <chrono>

namespace weft_mc {

inline weft::options model_options() {
  weft::options wanted;
  wanted.spin = std::chrono::nanoseconds(0);
  wanted.overflow_report = false;  // Its signal handler would stay installed where an execution fails.
  return wanted;
}

}  // namespace weft_mc
