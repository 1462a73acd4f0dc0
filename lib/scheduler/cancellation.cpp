#include "scheduler/cancellation.h"

#include "scheduler/call_chain.h"
#include "scheduler/chaos.h"
#include "scheduler/fiber_report.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"
#include "scheduler/wait_inline.h"

#include <new>
#include <string>

namespace weft::inline v0 {

const char* to_string(cancel_reason why) noexcept {
  switch (why) {
    case cancel_reason::user:
      return "user";
    case cancel_reason::deadline:
      return "deadline";
    case cancel_reason::scope:
      return "scope";
    case cancel_reason::shutdown:
      return "shutdown";
  }
  return "unknown";
}

namespace detail {

namespace {

constexpr std::uint32_t many_throws = 1'000;

constexpr std::uint16_t bits_of(std::uint8_t levels) noexcept {
  return static_cast<std::uint16_t>(levels << fiber_record::cancelled_shift);
}

// Requires: the bit is set. The stack may have passed on to another fiber: the occupant read after an epoch is that of
// the epoch's wait or of a later one; if it is still `f`, the wait is f's, or over.
wait_record* claim_open_wait(fiber_record& f, activation& a, std::uint8_t levels) noexcept {
  full_fence();  // Pairs with core::publish().
  chaos_point();
  const std::uint64_t bits = a.word.load();
  if (wait_word::is_open_to(bits, levels) == 0 || a.occupant.load(relaxed) != &f) return nullptr;
  return claim({&a, wait_word::epoch_of(bits)}, wake_reason::cancelled) ? &a : nullptr;
}

// Requires: the calling fiber is `f`, and something cancels it at its level.
cancel_reason reason_now(const core& c, const fiber_record& f, const activation& a) noexcept {
  const std::uint8_t level = open_level(c);
  const std::uint16_t marks = f.marks.load(relaxed);
  if (level == 1 && (marks & fiber_record::cancel_requested) != 0) {
    return static_cast<cancel_reason>(marks >> fiber_record::reason_shift & 3);
  }
  std::uint8_t outermost = 0;
  for (const cancel_frame* each = a.frames; each != nullptr; each = each->outer) {
    if (each->level != level) continue;
    if (const std::uint8_t noted = each->cancelled.load(acquire)) outermost = noted;  // Pairs with cancel_inside().
  }
  return outermost == 0 ? cancel_reason::user : static_cast<cancel_reason>(outermost - 1);
}

WEFT_COLD void report_swallower(const fiber_record& f) noexcept {
  try {
    std::string text = "weft: fiber " + std::to_string(f.id.load(relaxed));
    if (!f.name().empty()) text += " \"" + std::string(f.name()) + "\"";
    text += ", " + origin_text(f.site.load().file_name(), f.site.load().line()) +
            ", goes on although it was cancelled: it has swallowed weft::cancelled " + std::to_string(many_throws) +
            " times\n";
    f.home->report(text);
  } catch (const std::bad_alloc&) {
    f.home->report("weft: a fiber goes on although it was cancelled: it keeps swallowing weft::cancelled\n");
  }
}

}  // namespace

fiber_record* current_fiber() noexcept {
  core* const c = here();
  return c != nullptr && c->current != nullptr ? c->current->occupant.load(relaxed) : nullptr;
}

void mark_cancelled(fiber_record& f, cancel_reason why) noexcept {
  const auto added = static_cast<std::uint16_t>(fiber_record::cancel_requested | bits_of(1) |
                                                static_cast<unsigned>(why) << fiber_record::reason_shift);
  std::uint16_t seen = f.marks.load(relaxed);
  do {
    if ((seen & fiber_record::cancel_requested) != 0) return;
  } while (!f.marks.compare_exchange_weak(seen, static_cast<std::uint16_t>(seen | added), seq_cst, relaxed));
}

void request_cancel(fiber_record& f, cancel_reason why) noexcept {
  mark_cancelled(f, why);
  full_fence();                                    // Pairs with core::publish().
  activation* const a = f.on_stack.load(acquire);  // Pairs with move_in().
  if (a == nullptr) return;                        // Not started: it ends before its first instruction; or ended.
  if (wait_record* const claimed = claim_open_wait(f, *a, 1)) {
    make_ready(*claimed);
  } else {
    tell_if_exposed(*a);
  }
}

wait_record* cancel_quietly(cancel_frame& frame, cancel_reason why) noexcept {
  std::uint8_t none = 0;
  // Release: pairs with leave_frame() and cancel_frame::is_cancelled().
  if (!frame.cancelled.compare_exchange_strong(none, static_cast<std::uint8_t>(static_cast<unsigned>(why) + 1), acq_rel,
                                               relaxed)) {
    return nullptr;
  }
  if (frame.level == 0) return nullptr;
  frame.fiber->marks.fetch_or(bits_of(frame.level), seq_cst);
  return claim_open_wait(*frame.fiber, *frame.stack, frame.level);
}

wait_record* cancel_inside(cancel_frame& frame, cancel_reason why) noexcept {
  activation& a = *frame.stack;
  wait_record* const claimed = cancel_quietly(frame, why);
  if (claimed == nullptr) tell_if_exposed(a);
  return claimed;
}

std::exception_ptr foreign_cancellation() noexcept {
  try {
    return std::make_exception_ptr(
        join_cancelled("weft: a fiber that was not cancelled ended with another fiber's weft::cancelled"));
  } catch (const std::bad_alloc&) {
    return std::current_exception();
  }
}

bool enter_frame(cancel_frame& frame) noexcept {
  core* const c = here();
  if (c == nullptr || c->current == nullptr) return false;
  activation& a = *c->current;
  frame.stack = &a;
  frame.fiber = a.occupant.load(relaxed);
  frame.level = open_level(*c);
  frame.outer = a.frames;
  a.frames = &frame;
  return true;
}

void leave_frame(cancel_frame& frame) noexcept {
  activation& a = *frame.stack;
  cancel_frame** link = &a.frames;
  while (*link != &frame) link = &(*link)->outer;  // The innermost one, but for objects of uncommon lifetimes.
  *link = frame.outer;
  if (!frame.is_cancelled()) [[likely]]
    return;
  fiber_record& f = *frame.fiber;
  a.cancel_throws = 0;
  f.marks.fetch_and(static_cast<std::uint16_t>(~bits_of(frame.level)), seq_cst);
  full_fence();  // Pairs with cancel_inside() and mark_cancelled().
  bool is_left = frame.level == 1 && f.is_cancelled();
  for (const cancel_frame* each = a.frames; each != nullptr && !is_left; each = each->outer) {
    is_left = each->level == frame.level && each->is_cancelled();
  }
  if (is_left) f.marks.fetch_or(bits_of(frame.level), seq_cst);
}

bool cancel_pending() noexcept {
  const core* const c = here();
  return c != nullptr && c->current != nullptr && cancel_pending_in(*c);
}

cancel_reason pending_reason() noexcept {
  const core& c = *here();
  return reason_now(c, *c.current->occupant.load(relaxed), *c.current);
}

void throw_cancelled(const char* call) {
  core* const c = here();
  if (c == nullptr || c->current == nullptr) throw cancelled(cancel_reason::user);
  activation& a = *c->current;
  fiber_record& f = *a.occupant.load(relaxed);
  a.cancelled_call = call != nullptr ? call : a.waits_for.load(relaxed);
  if (++a.cancel_throws > 1) {
    if (a.cancel_throws == many_throws) report_swallower(f);
    yield(*c, a);
  }
  throw cancelled(reason_now(*here(), f, a));
}

void check_cancelled(const char* call) {
  if (cancel_pending()) [[unlikely]]
    throw_cancelled(call);
}

void enter_shield() noexcept {
  if (current_fiber() != nullptr) open_shield(*here()->current);
}

void leave_shield() noexcept {
  if (current_fiber() != nullptr) close_shield(*here()->current);
}

shielded::shielded() noexcept : stack_(current_fiber() != nullptr ? here()->current : nullptr) {
  if (stack_ != nullptr) open_shield(*stack_);
}

shielded::~shielded() {
  if (stack_ != nullptr) close_shield(*stack_);
}

}  // namespace detail
}  // namespace weft::inline v0
