#include "soak/watch.h"

#include "soak/parts.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace weft_soak {

namespace {

std::size_t entries_of(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

std::size_t measured_kib() {
  std::size_t whole = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> whole >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

constexpr std::size_t allowance_kib = 8 * 1024;

}  // namespace

holdings holdings::now() { return {measured_kib(), entries_of("/proc/self/fd"), entries_of("/proc/self/task")}; }

void flatness::look(double at, const holdings& held) {
  if (is_first_) {
    first_ = held;
    lowest_ = held.resident_kib;
    is_first_ = false;
    return;
  }
  if (held.descriptors != first_.descriptors) {
    fail("descriptors do not stay flat: " + std::to_string(first_.descriptors) + " after the first round, now " +
         std::to_string(held.descriptors));
  }
  // The kernel takes a joined thread off the list a moment later.
  holdings again = held;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (again.threads != first_.threads) {
    if (std::chrono::steady_clock::now() > limit) {
      fail("threads do not stay flat: " + std::to_string(first_.threads) + " after the first round, now " +
           std::to_string(again.threads));
    }
    std::this_thread::yield();
    again = holdings::now();
  }
  look_at_memory(at, held.resident_kib);
}

void flatness::look_at_memory(double at, std::size_t kib) {
  const auto part = std::min(parts - 1, static_cast<std::size_t>(at / length_ * parts));
  if (part == part_) {
    lowest_ = std::min(lowest_, kib);
    return;
  }
  compare();
  part_ = part;
  lowest_ = kib;
}

void flatness::finish() { compare(); }

void flatness::compare() {
  // Of the first tenth nothing is asked: allocators and caches fill. The second is what the others are measured by.
  if (part_ >= 1) last_kib_ = lowest_;
  if (part_ >= 1 && first_kib_ == 0) first_kib_ = lowest_;
  if (part_ > 1 && lowest_ > first_kib_ + first_kib_ / 4 + allowance_kib) {
    fail("memory does not stay flat: at least " + std::to_string(first_kib_) + " KiB in the second tenth of the run, " +
         std::to_string(lowest_) + " KiB in tenth " + std::to_string(part_ + 1));
  }
}

}  // namespace weft_soak
