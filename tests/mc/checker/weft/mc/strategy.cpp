#include <weft/mc/strategy.h>

#include <algorithm>
#include <sstream>

namespace weft::mc {

// --- exhaustive ------------------------------------------------------------------------------------------------------

void exhaustive::begin() {
  depth_ = 0;
  left_ = limits_;
}

std::size_t& exhaustive::budget(choice_kind kind) {
  switch (kind) {
    case choice_kind::store:
      return left_.old_stores;
    case choice_kind::failure:
      return left_.failures;
    default:
      return left_.preemptions;
  }
}

std::size_t exhaustive::choose(const choice& c) {
  const bool is_free = c.kind == choice_kind::hand_over;
  if (!is_free && budget(c.kind) == 0) return 0;
  if (depth_ == path_.size()) path_.push_back({c.kind, c.options, 0});
  const node& here = path_[depth_++];
  if (!is_free && here.chosen != 0) --budget(c.kind);
  return here.chosen < c.options ? here.chosen : c.options - 1;
}

bool exhaustive::advance() {
  while (!path_.empty()) {
    node& last = path_.back();
    if (++last.chosen < last.options) return true;
    path_.pop_back();
  }
  return false;
}

// --- by_priority -----------------------------------------------------------------------------------------------------

void by_priority::begin() {
  priorities_.clear();
  changes_.clear();
  lowest_ = 0;
  for (std::size_t i = 1; i < depth_; ++i) changes_.push_back(random_() % longest_);
}

std::int64_t& by_priority::priority_of(int thread) {
  while (priorities_.size() <= static_cast<std::size_t>(thread)) {
    priorities_.push_back(static_cast<std::int64_t>(random_() >> 2));
  }
  return priorities_[static_cast<std::size_t>(thread)];
}

std::size_t by_priority::choose(const choice& c) {
  longest_ = std::max(longest_, c.step + 1);
  if (c.kind == choice_kind::store) return random_() % 4 == 0 ? random_() % c.options : 0;
  if (c.kind == choice_kind::failure) return random_() % 8 == 0 ? 1 : 0;
  const bool changes_here = std::find(changes_.begin(), changes_.end(), c.step) != changes_.end();
  in_a_row_ = c.threads[0] == last_ ? in_a_row_ + 1 : 0;
  last_ = c.threads[0];
  const bool is_long_run = in_a_row_ != 0 && in_a_row_ % 500 == 0;
  if (c.kind == choice_kind::pause || (c.kind == choice_kind::preempt && is_long_run) ||
      (c.kind == choice_kind::preempt && changes_here)) {
    priority_of(c.threads[0]) = --lowest_;
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < c.options; ++i) {
    if (priority_of(c.threads[i]) > priority_of(c.threads[best])) best = i;
  }
  return best;
}

// --- replay ----------------------------------------------------------------------------------------------------------

replay::replay(const std::string& text) {
  std::istringstream in(text);
  deviation d{};
  while (in >> d.step >> d.what >> d.value) deviations_.push_back(d);
}

std::size_t replay::choose(const choice& c) {
  for (const deviation& d : deviations_) {
    if (d.step != c.step || d.what != letter_of(c.kind)) continue;
    if (c.threads.empty()) return std::min(d.value, c.options - 1);
    const auto found = std::find(c.threads.begin(), c.threads.end(), static_cast<int>(d.value));
    return found != c.threads.end() ? static_cast<std::size_t>(found - c.threads.begin()) : 0;
  }
  return 0;
}

}  // namespace weft::mc
