// What becomes of a fork_join whose children did not all return.
#include <weft/gather.h>

#include "scheduler/cancellation.h"
#include "scheduler/scheduler.h"

#include <utility>

namespace weft::inline v0::detail {

void fork_join::throw_outcome() {
  const fork_errors found = std::move(errors_);
  std::destroy_at(&errors_);
  std::vector<std::exception_ptr> errors;
  if (found.first != nullptr) errors.push_back(found.first);
  if (found.more != nullptr) errors.insert(errors.end(), found.more->begin(), found.more->end());
  if (cancel_pending()) {
    for (const std::exception_ptr& each : errors) frame_.fiber->home->report_lost_error(*frame_.fiber, each);
    throw_cancelled("gather");
  }
  if (errors.size() == 1) std::rethrow_exception(errors.front());
  if (!errors.empty()) throw scope_errors(std::move(errors));
  throw join_cancelled("weft::gather: a child was cancelled");
}

}  // namespace weft::inline v0::detail
