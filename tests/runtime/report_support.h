// A sink for reports, and fibers that are known to wait.
#pragma once

#include "support/waiting.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

namespace weft_test {

// What a runtime reports.
class report_sink {
 public:
  void use_in(weft::options& options) {
    options.on_report = [this](std::string_view text) {
      const std::scoped_lock hold(lock_);
      reports_.emplace_back(text);
    };
  }
  std::size_t count() const {
    const std::scoped_lock hold(lock_);
    return reports_.size();
  }
  std::string all() const {
    const std::scoped_lock hold(lock_);
    std::string text;
    for (const std::string& each : reports_) text += each;
    return text;
  }
  bool has(const std::string& part) const { return contains(all(), part); }
  std::size_t count_with(const std::string& part) const {
    const std::scoped_lock hold(lock_);
    return static_cast<std::size_t>(
        std::count_if(reports_.begin(), reports_.end(), [&](const std::string& each) { return contains(each, part); }));
  }

 private:
  mutable std::mutex lock_;
  std::vector<std::string> reports_;
};

inline const weft::fiber_dump* named(const weft::runtime_dump& all, const std::string& name) {
  for (const weft::fiber_dump& each : all.fibers) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

// Looks until the fiber called `name` waits in `call`.
inline weft::runtime_dump dump_when_waiting(const std::string& name, const std::string& call) {
  weft::runtime_dump all;
  EXPECT_TRUE(yield_until([&] {
    all = weft::dump();
    const weft::fiber_dump* const f = named(all, name);
    return f != nullptr && f->state == weft::fiber_state::waiting && f->waits_in == call;
  })) << all.text();
  return all;
}

}  // namespace weft_test
