#include "reactor/descriptor.h"

#include "platform/system_calls.h"
#include "scheduler/cancellation.h"
#include "scheduler/scheduler.h"
#include "scheduler/suspend.h"

namespace weft::inline v0::detail {

namespace {

// Closing from the start: turns every use of an empty descriptor away.
slot empty_slot;

bool in_fiber() noexcept {
  const core* const c = here();
  return c != nullptr && c->current != nullptr;
}

void wake_closed(slot& s, direction d) noexcept {
  const readiness::state before = s.of(d).close();
  reactor* const r = s.registered.load(acquire);
  if (before.is_waiting() && r != nullptr) reactor::wake_waiting(r->owner(), before, wake_reason::closed);
}

}  // namespace

slot& descriptor::nowhere() noexcept {
  return empty_slot;
}

descriptor::use::use(const descriptor& of) noexcept
    : in(of.slot_ != nullptr ? *of.slot_ : nowhere()), slots(of.slots_) {
  const std::uint64_t users = in.users.enter();
  if (of.slot_ == nullptr || (users & slot_users::closing_bit) != 0 ||
      slot_users::generation_of(users) != of.generation_) {
    error = EBADF;
  } else if (!in_fiber()) {
    error = EPERM;
  } else if (cancel_pending()) {
    error = ECANCELED;
  }
}

descriptor::use::~use() {
  if (slot_users::is_last_of_closing(in.users.leave()) && slots != nullptr) finish_close(in, *slots);
}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    close();
    slot_ = std::exchange(other.slot_, nullptr);
    slots_ = other.slots_;
    generation_ = other.generation_;
  }
  return *this;
}

int descriptor::adopt(int fd, descriptor& out) noexcept {
  int error = EPERM;
  if (in_fiber()) {
    slot_table& slots = reactor::here().slots();
    if (slot* const s = slots.take()) {
      s->fd = fd;
      s->of(direction::read).reset();
      s->of(direction::write).reset();
      s->registered.store(nullptr, relaxed);
      s->half_closed.store(false, relaxed);
      descriptor taken;
      taken.slot_ = s;
      taken.slots_ = &slots;
      taken.generation_ = s->users.reopen();
      out = std::move(taken);
      return 0;
    }
    error = ENOMEM;
  }
  sys().close(fd);
  return error;
}

bool descriptor::is_open() const noexcept {
  if (slot_ == nullptr) return false;
  const std::uint64_t users = slot_->users.load();
  return slot_users::generation_of(users) == generation_ && (users & slot_users::closing_bit) == 0;
}

int descriptor::close() noexcept {
  if (slot_ == nullptr || !slot_->users.begin_close(generation_)) return 0;
  slot& s = *slot_;
  wake_closed(s, direction::read);
  wake_closed(s, direction::write);
  return slot_users::is_last_of_closing(s.users.leave()) ? finish_close(s, *slots_) : 0;
}

// Deregisters first: the number may name another file the moment it is closed.
int descriptor::finish_close(slot& s, slot_table& slots) noexcept {
  if (reactor* const r = s.registered.load(acquire)) r->remove(s);
  const int fd = std::exchange(s.fd, -1);
  s.users.retire();
  slots.give(s);
  const int result = sys().close(fd);
  return result < 0 ? -result : 0;
}

// A count below what was asked for leaves nothing, until the next event; not so at the end of a stream, whose
// last event may have come with data that is read by now.
void descriptor::drained(slot& s, direction d, readiness::state seen) noexcept {
  if (!s.half_closed.load(acquire)) s.of(d).drain(seen);  // Pairs with reactor::dispatch().
}

// A descriptor that is always ready must not keep the core from everything else.
void descriptor::spend_budget() noexcept {
  core& c = *here();
  if (c.spend_tick()) [[unlikely]]
    yield(c, *c.current);
}

int descriptor::ensure_registered(slot& s) noexcept {
  reactor* none = nullptr;
  reactor& mine = reactor::here();
  // Release and acquire: the other direction may find it, and close it.
  if (!s.registered.compare_exchange_strong(none, &mine, acq_rel, acquire)) return 0;
  const int error = mine.add(s);
  if (error == 0) return 0;
  s.registered.store(nullptr, release);
  // The other direction may have relied on us: it tries again and meets the error itself.
  const std::uint32_t tick = s.tick.load(relaxed);
  for (const direction d : {direction::read, direction::write}) {
    reactor::wake_waiting(here()->owner, s.of(d).report(tick + 1), wake_reason::notified);
  }
  return error;
}

int descriptor::wait_ready(slot& s, direction d, std::int64_t deadline) noexcept {
  readiness& word = s.of(d);
  if (const int error = ensure_registered(s)) return error;
  const readiness::state seen = word.load();
  if (seen.is_ready()) return 0;
  if (seen.is_closed()) return EBADF;
  if (seen.is_waiting()) return EBUSY;
  const waiter w = begin_wait();
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
  const use in(*this);
  if (in.error != 0) return in.error;
  in.in.of(d).drain(in.in.of(d).load());
  return wait_ready(in.in, d, deadline);
}

}  // namespace weft::inline v0::detail
