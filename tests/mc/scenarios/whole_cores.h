// A runtime of the model: the production scheduler, its loop, its parking and its fibers, on threads of the model.
#pragma once

#include "model_options.h"
#include "scheduler/scheduler.h"

#include <weft/fiber.h>
#include <weft/spawn.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace weft_mc {

// Its threads end with it.
class cores {
 public:
  explicit cores(std::size_t count, weft::migration m = weft::migration::at_start)
      : scheduler_(options_for(m), weft::detail::topology::flat(std::vector<int>(count, 0))) {
    scheduler_.start([](weft::detail::core&) {});
  }
  ~cores() { scheduler_.stop(); }
  cores(const cores&) = delete;
  cores& operator=(const cores&) = delete;

  // From the thread that runs the scenario, which is no worker.
  template <class F>
  weft::fiber<void> spawn(F f) {
    return weft::spawn_in(reinterpret_cast<weft::runtime*>(&scheduler_), nullptr, weft::source_location::current(),
                          std::move(f));
  }

 private:
  static weft::options options_for(weft::migration m) {
    weft::options wanted = model_options();
    wanted.migration = m;
    return wanted;
  }

  weft::detail::scheduler scheduler_;
};

}  // namespace weft_mc
