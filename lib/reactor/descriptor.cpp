#include "reactor/descriptor.h"

#include "platform/process.h"
#include "platform/system_calls.h"
#include "reactor/possible.h"
#include "scheduler/call_chain.h"
#include "scheduler/cancellation.h"
#include "scheduler/fork.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"

#include <mutex>

namespace weft::inline v0::detail {

namespace {

bool in_fiber() noexcept {
  const core* const c = here();
  return c != nullptr && c->current != nullptr;
}

wait_record* claim_closed(slot& s, direction d, scheduler* owner) noexcept {
  const readiness::state before = s.of(d).close();
  return owner != nullptr ? reactor::claim_waiting(*owner, before, wake_reason::closed) : nullptr;
}

// Not in the child of a fork(), which shares the poller's queue with its parent.
void take_out_of_poller(slot& s, slot_table& slots) noexcept {
  const core* const c = here();
  slots.deregister(s, c != nullptr && &c->owner == slots.owner());
}

// While others may be about to put it in.
void keep_out_of_poller(slot& s, slot_table& slots) noexcept {
  const std::scoped_lock hold(s.registering);
  take_out_of_poller(s, slots);
}

// Closes the file behind a number that calls may still name, and keeps the number for them: what it names from now on
// answers each of them with EBADF. A close and no shutdown, for the file may be shared with other processes. Where it
// cannot be done, the file is closed with the number.
void close_file_of(int fd) noexcept {
#ifdef O_PATH
  const int nothing = sys().open("/", O_PATH | O_CLOEXEC, 0);
  if (nothing < 0) return;
  sys().dup3(nothing, fd, O_CLOEXEC);
  sys().close(nothing);
#else
  static_cast<void>(fd);
#endif
}

// The fibers that wait may end otherwise meanwhile, and their runtime with them, until their waits are claimed.
void wake_closed(slot& s, slot_table& slots) noexcept {
  wait_record* reader = nullptr;
  wait_record* writer = nullptr;
  slots.with_owner([&](scheduler* owner) {
    reader = claim_closed(s, direction::read, owner);
    writer = claim_closed(s, direction::write, owner);
  });
  if (reader != nullptr) make_ready(*reader);
  if (writer != nullptr) make_ready(*writer);
}

}  // namespace

descriptor::use::use(const descriptor& handle) noexcept : of(handle) {
  is_counted = of.slot_ != nullptr && of.slot_->users.enter(of.generation_);
  if (!is_counted) {
    error = EBADF;
  } else if (!of.is_of_this_runtime()) {
    error = EPERM;
  } else if (cancel_pending()) {
    error = ECANCELED;
  }
}

descriptor::use::~use() {
  if (is_counted && of.slot_->users.leave()) finish_close(*of.slot_, *of.slots_);
}

void descriptor::let_go() noexcept {
  close();
  slot_ = nullptr;
  if (slots_ != nullptr) std::exchange(slots_, nullptr)->let_go();
}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    let_go();
    slot_ = std::exchange(other.slot_, nullptr);
    slots_ = std::exchange(other.slots_, nullptr);
    generation_ = other.generation_;
  }
  return *this;
}

int descriptor::take_slot(int fd, bool is_lent, descriptor& out) noexcept {
  if (!in_fiber()) return EPERM;
  slot_table& slots = reactor::here().slots();
  slot* const s = slots.take();
  if (s == nullptr) return ENOMEM;
  s->fd = fd;
  s->is_lent = is_lent;
  s->of(direction::read).reset();
  s->of(direction::write).reset();
  s->registered.store(nullptr, relaxed);
  s->half_closed.store(false, relaxed);
  descriptor taken;
  taken.slot_ = s;
  taken.slots_ = &slots;
  slots.hold();
  taken.generation_ = s->users.reopen();
  out = std::move(taken);
  return 0;
}

int descriptor::adopt(int fd, descriptor& out) noexcept {
  const int error = take_slot(fd, false, out);
  if (error != 0) sys().close(fd);
  return error;
}

int descriptor::borrow(int fd, descriptor& out) noexcept { return take_slot(fd, true, out); }

bool descriptor::is_open() const noexcept {
  return slot_ != nullptr && slot_users::is_open_as(slot_->users.load(), generation_);
}

bool descriptor::is_of_this_runtime() const noexcept { return in_fiber() && &reactor::here().slots() == slots_; }

int descriptor::close() noexcept {
  if (slot_ == nullptr || !slot_->users.begin_close(generation_)) return 0;
  slot& s = *slot_;
  if (!forked_child()) {
    const bool has_others = (s.users.load() & slot_users::count_mask) > 1;  // There will be no more of them.
    if (s.is_lent || has_others) keep_out_of_poller(s, *slots_);
    if (has_others && !s.is_lent) close_file_of(s.fd);
    wake_closed(s, *slots_);
  }
  return s.users.leave() ? finish_close(s, *slots_) : 0;
}

// Deregisters first: the number may name another file the moment it is closed.
int descriptor::finish_close(slot& s, slot_table& slots) noexcept {
  if (!forked_child()) take_out_of_poller(s, slots);
  const int fd = std::exchange(s.fd, -1);
  const bool is_lent = s.is_lent;
  s.users.retire();
  slots.give(s);
  if (is_lent) return 0;
  const int result = sys().close(fd);
  return result < 0 ? -result : 0;
}

// A count below what was asked for leaves nothing, until the next event; not so at the end of a stream, whose
// last event may have come with data that is read by now.
void descriptor::drained(slot& s, direction d, readiness::state seen) noexcept {
  if (!s.half_closed.load(relaxed)) s.of(d).drain(seen);  // Published with `seen`.
}

// A descriptor that is always ready must not keep the core from everything else.
void descriptor::spend_budget() noexcept {
  core& c = *here();
  if (!c.spend_tick()) [[likely]]
    return;
  // As give_turn() does.
  if (join_called_on(*c.current) != nullptr) [[unlikely]]
    expose_calls(*c.current, 0);
  yield(c, *c.current);
}

// Relaxed: the reactor is as old as the runtime, and a note that is taken back only lets the caller meet the closed word.
int descriptor::ensure_registered(slot& s) noexcept {
  return s.registered.load(relaxed) != nullptr ? 0 : put_into_poller(s);
}

int descriptor::put_into_poller(slot& s) noexcept {
  const std::scoped_lock hold(s.registering);
  if (slot_users::is_closing(s.users.load()) || s.registered.load(relaxed) != nullptr) return 0;
  reactor& mine = reactor::here();
  const int error = mine.add(s);
  if (error == 0) s.registered.store(&mine, relaxed);
  return error;
}

int descriptor::wait_ready(slot& s, direction d, std::int64_t deadline) noexcept {
  readiness& word = s.of(d);
  if (const int error = ensure_registered(s)) return error;
  const readiness::state seen = word.load();
  if (seen.is_ready()) return 0;
  if (seen.is_closed()) return EBADF;
  if (seen.is_waiting()) return EBUSY;
  const waiter w = begin_wait(true, d == direction::read ? "a read" : "a write");
  if (!word.arm(seen, w.record->name, w.epoch)) {
    return retract_wait(w) == wake_reason::cancelled ? ECANCELED : 0;
  }
  switch (finish_wait(w, deadline)) {
    case wake_reason::timed_out:
      word.disarm(w.record->name, w.epoch, seen);
      return ETIMEDOUT;
    case wake_reason::cancelled:
      word.disarm(w.record->name, w.epoch, seen);
      return ECANCELED;
    case wake_reason::closed:
      return EBADF;
    default:
      return 0;
  }
}

int descriptor::wait(direction d, std::int64_t deadline) noexcept {
  const use by_us(*this);
  if (by_us.error != 0) return by_us.error;
  const readiness::state seen = slot_->of(d).load();
  if (seen.is_ready()) slot_->of(d).drain(seen);
  return wait_ready(*slot_, d, deadline);
}

int descriptor::wait_until_possible(direction d, std::int64_t deadline) noexcept {
  const std::ptrdiff_t result = perform(d, deadline, 0, [d](int fd) noexcept { return ask_whether_possible(fd, d); });
  return result < 0 ? static_cast<int>(-result) : 0;
}

}  // namespace weft::inline v0::detail
