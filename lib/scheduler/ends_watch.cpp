// One wait, registered with the ends of many fibers: whoever ends first claims it.
#include <weft/wait.h>

#include "scheduler/cancellation.h"
#include "scheduler/record.h"
#include "scheduler/wait.h"

#include <algorithm>
#include <string>
#include <system_error>

namespace weft::inline v0::detail {

namespace {

void check_fibers(const std::vector<fiber_record*>& fibers) {
  const fiber_record* const me = current_fiber();
  for (std::size_t i = 0; i < fibers.size(); ++i) {
    if (fibers[i] == nullptr) {
      throw std::system_error(
          std::make_error_code(std::errc::invalid_argument),
          "weft::wait: handle " + std::to_string(i) + " has no fiber: it was joined, detached or moved from");
    }
    if (fibers[i] == me) {
      throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                              "weft::wait: fiber " + std::to_string(me->id) + " waits for itself");
    }
  }
}

bool has_ended(const fiber_record* f) noexcept { return f->end.done(); }

}  // namespace

bool wait_any(const std::vector<fiber_record*>& fibers, std::int64_t deadline) {
  check_fibers(fibers);
  std::vector<wait_node> nodes(fibers.size());
  for (;;) {
    if (fibers.empty() || std::any_of(fibers.begin(), fibers.end(), &has_ended)) return true;
    check_cancelled("weft::wait");
    const waiter w = begin_wait(true, "weft::wait");
    std::size_t added = 0;
    while (added < fibers.size()) {
      nodes[added] = {};
      nodes[added].who = w;
      if (!fibers[added]->end.add(nodes[added])) break;
      ++added;
    }
    const wake_reason why = added < fibers.size() ? retract_wait(w) : finish_wait(w, deadline);
    for (std::size_t i = 0; i < added; ++i) fibers[i]->end.remove(nodes[i]);
    if (std::any_of(fibers.begin(), fibers.end(), &has_ended)) return true;
    if (why == wake_reason::timed_out) return false;
    if (why == wake_reason::cancelled) throw_cancelled("weft::wait");
  }
}

bool fiber_failed(const fiber_record* fiber) noexcept {
  return fiber->end.done() && fiber->outcome == fiber_outcome::error;
}

wait_result wait_for_fibers(const std::vector<fiber_record*>& fibers, wait_for until, std::int64_t deadline) {
  check_fibers(fibers);
  std::vector<fiber_record*> pending = fibers;
  bool is_over = fibers.empty();
  while (!is_over) {
    is_over = !wait_any(pending, deadline) || until == wait_for::first_completed;
    const auto ended = std::partition(pending.begin(), pending.end(), [](fiber_record* f) { return !has_ended(f); });
    if (until == wait_for::first_exception) is_over = is_over || std::any_of(ended, pending.end(), &fiber_failed);
    pending.erase(ended, pending.end());
    is_over = is_over || pending.empty();
  }
  wait_result result;
  for (std::size_t i = 0; i < fibers.size(); ++i) (has_ended(fibers[i]) ? result.done : result.pending).push_back(i);
  return result;
}

}  // namespace weft::inline v0::detail
