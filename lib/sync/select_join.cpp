// The end of a fiber, and the outcome of a future, as cases of a select.
#include "scheduler/record.h"
#include "scheduler/select_node.h"

#include <weft/select.h>

#include <system_error>

namespace weft::inline v0::detail {

namespace {

completion& end_of(select_case& c) noexcept { return *static_cast<completion*>(c.object); }

bool try_join(select_case& c) { return end_of(c).done(); }

enroll_result enroll_join(select_case& c) {
  wait_node& n = wait_node_of(c);
  if (end_of(c).add(n)) return enroll_result::enrolled;
  if (!claim(n.who, wake_reason::none)) return enroll_result::overtaken;
  end_of(c).remove(n);  // Waits for the finisher, which is about to say that it is done.
  return enroll_result::taken;
}

void withdraw_join(select_case& c) noexcept { end_of(c).remove(wait_node_of(c)); }

bool won_join(select_case& c) { return end_of(c).done(); }

}  // namespace

constinit const select_ops select_access::completion_ops = {&try_join, &enroll_join, &withdraw_join, &won_join};

completion* select_access::end_of(const basic_fiber& f) {
  if (f.unjoined() == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "weft::on_join: the handle has no fiber: it was joined, detached or moved from");
  }
  return &f.record_->end;
}

}  // namespace weft::inline v0::detail
