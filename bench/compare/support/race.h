// What the C++ programs of the races have in common: the command line, the measuring, and the line that they print.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace race {

// What a program is asked for: PROGRAM [VARIANT [CORES [SIZE]]].
struct order {
  std::string variant;
  std::size_t cores = 1;
  std::uint64_t size = 0;

  order(int argc, char** argv, const char* usual_variant, std::uint64_t usual_size)
      : variant(argc > 1 ? argv[1] : usual_variant),
        cores(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1),
        size(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : usual_size) {}
};

struct outcome {
  double seconds;
  std::uint64_t check;
};

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Does the work once to warm memory and caches up, and once for the clock. `work` returns its check value.
template <class F>
outcome measured(F&& work) {
  work();
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t check = work();
  return {seconds_since(begin), check};
}

// Prints the line of one run. `more` holds further members, each beginning with a comma.
// Returns: what main() returns: 1 where the check value is not the expected one.
inline int report(const char* problem, const char* library, const order& what, std::uint64_t items, outcome result,
                  std::uint64_t expected, const std::string& more = "") {
  std::printf(
      "{\"problem\":\"%s\",\"variant\":\"%s\",\"library\":\"%s\",\"cores\":%zu,\"items\":%llu,\"seconds\":%.9f,"
      "\"check\":%llu%s}\n",
      problem, what.variant.c_str(), library, what.cores, static_cast<unsigned long long>(items), result.seconds,
      static_cast<unsigned long long>(result.check), more.c_str());
  if (result.check == expected) return 0;
  std::fprintf(stderr, "%s of %s: the check value is %llu, expected %llu\n", problem, library,
               static_cast<unsigned long long>(result.check), static_cast<unsigned long long>(expected));
  return 1;
}

[[noreturn]] inline void refuse(const char* problem, const order& what) {
  std::fprintf(stderr, "%s: no variant is called '%s'\n", problem, what.variant.c_str());
  std::exit(2);
}

}  // namespace race
