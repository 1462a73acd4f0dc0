// What becomes of a fork_join whose children did not all return.
#include <weft/gather.h>

#include "scheduler/cancellation.h"
#include "scheduler/scheduler.h"

#include <utility>

namespace weft::inline v0::detail {

void fork_join::throw_outcome() {
  const fork_errors found = std::move(outside_part().errors);
  std::destroy_at(&outside);
  std::vector<std::exception_ptr> all;
  if (found.first != nullptr) all.push_back(found.first);
  if (found.more != nullptr) all.insert(all.end(), found.more->begin(), found.more->end());
  if (cancel_pending()) {
    for (const std::exception_ptr& each : all) frame_.fiber->home->report_lost_error(*frame_.fiber, each);
    throw_cancelled("gather");
  }
  if (all.size() == 1) std::rethrow_exception(all.front());
  if (!all.empty()) throw scope_errors(std::move(all));
  throw join_cancelled("weft::gather: a child was cancelled");
}

}  // namespace weft::inline v0::detail
