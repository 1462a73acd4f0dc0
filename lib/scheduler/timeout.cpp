#include <weft/timeout.h>

#include "platform/clock.h"
#include "scheduler/cancellation.h"
#include "scheduler/core.h"
#include "scheduler/timers.h"

#include <bit>
#include <new>

namespace weft::inline v0 {

namespace {

constexpr std::int64_t clock_error =
    1'000;  // The quick clock may be off by as much, and so decides only what is further.

struct scope_timer : detail::timer_node {
  detail::cancel_frame* frame = nullptr;
  detail::timers* armed_in = nullptr;  // Of the core where the fiber was; it may be elsewhere when it disarms.
};

void* expire(detail::timer_node& t) {
  return detail::cancel_inside(*static_cast<scope_timer&>(t).frame, cancel_reason::deadline);
}

// For reports. Only the fiber counts.
void count_timeout(const detail::cancel_frame& frame, int change) noexcept {
  if (frame.level == 0) return;
  detail::atomic<std::uint16_t>& count = frame.stack->timeouts[std::countr_zero(frame.level)];
  count.store(static_cast<std::uint16_t>(count.load(detail::relaxed) + change), detail::relaxed);
}

scope_timer& timer_in(std::byte* memory) noexcept { return *std::launder(reinterpret_cast<scope_timer*>(memory)); }

}  // namespace

timeout_scope::timeout_scope(deadline limit) : limit_(limit) {
  static_assert(sizeof(scope_timer) <= timer_bytes && alignof(scope_timer) <= alignof(void*));
  if (!detail::enter_frame(frame_)) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "weft::with_timeout: called outside a fiber");
  }
  if (!limit.is_never()) arm();
}

timeout_scope::~timeout_scope() { close(); }

void timeout_scope::arm() noexcept {
  // What has passed already expires now: the timers are run only when somebody polls.
  detail::core& c = *detail::here();
  const std::int64_t moment = limit_.nanoseconds();
  if (moment <= c.clock.now() + clock_error && moment <= detail::monotonic_now()) {
    detail::cancel_inside(frame_, cancel_reason::deadline);
    return;
  }
  auto& timer = *::new (static_cast<void*>(timer_)) scope_timer;
  timer.deadline = moment;
  timer.fire = &expire;
  timer.frame = &frame_;
  timer.armed_in = &c.clockwork;
  is_armed_ = true;
  count_timeout(frame_, 1);
  timer.armed_in->arm(timer);
}

void timeout_scope::disarm() noexcept {
  if (!std::exchange(is_armed_, false)) return;
  scope_timer& timer = timer_in(timer_);
  timer.armed_in->disarm(timer);
  count_timeout(frame_, -1);
}

bool timeout_scope::close() noexcept {
  if (std::exchange(is_open_, false)) {
    disarm();
    detail::leave_frame(frame_);
  }
  return frame_.is_cancelled() && !detail::cancel_pending();
}

bool timeout_scope::reschedule(deadline limit) noexcept {
  if (!is_open_) return false;
  disarm();
  if (expired()) return false;
  limit_ = limit;
  if (!limit.is_never()) arm();
  return true;
}

void timeout_scope::throw_timed_out() const { throw timed_out("weft::with_timeout: the deadline has passed"); }

}  // namespace weft::inline v0
