#include <weft/this_fiber.h>

#include "platform/clock.h"
#include "platform/thread.h"
#include "scheduler/call_chain.h"
#include "scheduler/called_fiber.h"
#include "scheduler/cancellation.h"
#include "scheduler/fork.h"
#include "scheduler/suspend.h"
#include "scheduler/wait_inline.h"

#include <stdexcept>
#include <system_error>

namespace weft::inline v0 {

namespace this_fiber {

void yield() {
  detail::core* const c = detail::here();
  if (c == nullptr || c->current == nullptr) {
    detail::yield_thread();
    return;
  }
  detail::activation& me = *c->current;
  // A child that is called here may be waiting for another one, in its own way.
  if (detail::join_called_on(me) != nullptr && detail::open_level(*c) != 1) [[unlikely]] {
    detail::expose_calls(me, detail::open_level(*c));
  }
  detail::yield(*c, me);
  detail::check_cancelled("this_fiber::yield");
}

void sleep_until(deadline moment) {
  using namespace detail;
  check_cancelled("this_fiber::sleep");
  if (moment.nanoseconds() <= 0 || (!moment.is_never() && moment.nanoseconds() <= monotonic_now())) {
    yield();
    return;
  }
  const waiter w = begin_wait(true, "this_fiber::sleep");
  if (finish_wait(w, moment.nanoseconds()) == wake_reason::cancelled) throw_cancelled("this_fiber::sleep");
}

std::uint64_t id() noexcept {
  detail::core* const c = detail::here();
  if (c == nullptr || c->current == nullptr) return 0;
  detail::fork_join* const join = detail::join_called_on(*c->current);
  return join != nullptr ? join->id_of_child(*c) : c->current->occupant.load(detail::relaxed)->id.load(detail::relaxed);
}

std::string_view name() noexcept {
  const detail::fiber_record* f = detail::current_fiber();
  if (f == nullptr) return {};
  const detail::activation& me = *detail::here()->current;
  if (detail::join_called_on(me) != nullptr) f = detail::called_fiber::on(me);
  return f != nullptr ? f->name() : std::string_view();
}

stack_usage stack_usage_now() noexcept {
  const detail::core* const c = detail::here();
  if (c == nullptr || c->current == nullptr) return {};
  const detail::activation& a = *c->current;
  const auto used = static_cast<std::size_t>(a.top - static_cast<std::byte*>(__builtin_frame_address(0)));
  return {used, a.usable_bytes()};
}

std::size_t core() {
  const detail::core* const c = detail::here();
  if (c == nullptr || c->current == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::this_fiber::core: called outside a fiber");
  }
  return c->index;
}

}  // namespace this_fiber

pin_guard::pin_guard() noexcept : pinned_(false) {
  detail::core* const c = detail::here();
  if (c == nullptr || c->current == nullptr) return;
  ++c->current->pins;
  pinned_ = true;
}

pin_guard::~pin_guard() {
  if (pinned_) --detail::here()->current->pins;
}

}  // namespace weft::inline v0
