// Scenarios: small programs over production code, each with the bounds within which every execution is looked at.
#pragma once

#include <weft/mc/blocking.h>
#include <weft/mc/check.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/plain.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft_mc {

namespace mc = weft::mc;

struct scenario {
  std::string name;
  mc::model run;
  std::size_t preemptions = 2;
  std::size_t old_stores = 2;
  std::size_t failures = 1;
  // Too large to look at every execution: so many of them, at random by priorities. 0: all within bounds.
  std::size_t at_random = 0;
  // It builds whole cores for the sake of something else: see mutants_test.cpp.
  bool has_cores = false;
};

std::vector<scenario>& scenarios();

struct registered {
  explicit registered(scenario s) {
    const mc::engine_scope outside;
    scenarios().push_back(std::move(s));
  }
};

// Runs the bodies as threads of their own, and waits for all of them.
template <class... Bodies>
void together(Bodies... bodies) {
  const mc::engine_scope outside;
  std::vector<std::unique_ptr<mc::thread>> all;
  (all.push_back(std::make_unique<mc::thread>(bodies)), ...);
  for (auto& each : all) each->join();
}

#define WEFT_MC_JOIN_(a, b) a##b
#define WEFT_MC_NAME_(line) WEFT_MC_JOIN_(scenario_, line)
// WEFT_SCENARIO("name", [] { ... }[, preemptions, old_stores, failures, at_random, has_cores]);
#define WEFT_SCENARIO(...) const ::weft_mc::registered WEFT_MC_NAME_(__LINE__)({__VA_ARGS__})

}  // namespace weft_mc
