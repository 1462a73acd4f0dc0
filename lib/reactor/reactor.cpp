#include "reactor/reactor.h"

#include "platform/clock.h"
#include "platform/futex.h"
#include "scheduler/chaos.h"
#include "scheduler/scheduler.h"

#include <algorithm>

namespace weft::inline v0::detail {

namespace {
std::uint64_t token_of(const slot& s) noexcept {
  return std::uint64_t{s.index} << 32 | slot_users::generation_of(s.users.load());
}
}  // namespace

reactor::reactor(core& of, slot_table& slots, reactor_mode mode) : core_(of), slots_(slots), mode_(mode) {}

reactor::~reactor() { stop(); }

void reactor::start(const std::function<void()>& prepare) {
  const std::string name = "weft-r" + std::to_string(core_.index);
  core_.clockwork.set_watcher([](void* p) { static_cast<poller*>(p)->wake(); }, &poller_);
  if (mode_ == reactor_mode::adaptive) {
    thread_ = native_thread(name, [this, prepare] {
      prepare();
      stand_by();
    });
  } else if (mode_ == reactor_mode::dedicated) {
    thread_ = native_thread(name, [this, prepare] {
      prepare();
      lead_for_good();
    });
  }
}

void reactor::stop() noexcept {
  if (!thread_.joinable()) return;
  stop_.store(true, seq_cst);
  standing_in_.store(1, seq_cst);
  futex_wake(standing_in_, 1);
  poller_.wake();
  thread_.join();
}

int reactor::add(slot& s) noexcept {
  registered_.fetch_add(1, relaxed);
  const int error = poller_.add(s.fd, token_of(s));
  if (error != 0) registered_.fetch_sub(1, relaxed);
  return error;
}

void reactor::remove(slot& s) noexcept {
  poller_.remove(s.fd);
  registered_.fetch_sub(1, relaxed);
}

// --- The lead --------------------------------------------------------------------------------------------------------

int reactor::take_events(std::int64_t deadline) noexcept {
  ready_event events[poller::max_batch];
  const int count = poller_.wait(events, deadline);
  chaos_point();
  if (chaos_says(2)) std::reverse(events, events + std::max(count, 0));
  for (int i = 0; i < count; ++i) dispatch(events[i]);
  return count;
}

void reactor::dispatch(const ready_event& e) noexcept {
  slot& s = slots_.at(static_cast<std::uint32_t>(e.token >> 32));
  // An event of a descriptor that was closed since. If the slot passes on right after this look, the new
  // descriptor gets a readiness that is not there, which costs its fiber one call in vain.
  if (slot_users::generation_of(s.users.load()) != static_cast<std::uint32_t>(e.token)) return;
  if (e.read_closed() || e.hangup() || e.error() || e.urgent())
    s.half_closed.store(true, relaxed);                         // Published by report(), for descriptor::drained().
  const std::uint32_t tick = s.tick.fetch_add(1, relaxed) + 1;  // Never one that a user may have in hand.
  scheduler& owner = core_.owner;
  if (e.readable()) wake_waiting(owner, s.of(direction::read).report(tick), wake_reason::notified);
  if (e.writable()) wake_waiting(owner, s.of(direction::write).report(tick), wake_reason::notified);
}

wait_record* reactor::claim_waiting(scheduler& owner, readiness::state before, wake_reason why) noexcept {
  if (!before.is_waiting()) return nullptr;
  activation& a = *static_cast<activation*>(owner.stacks.at(before.name()));
  const std::uint64_t epoch = wait_word::epoch_of(a.word.load());
  if (!before.is_epoch(epoch)) return nullptr;  // Its wait has ended otherwise.
  const waiter who{&a, epoch};
  return claim(who, why) ? &a : nullptr;
}

void reactor::wake_waiting(scheduler& owner, readiness::state before, wake_reason why) noexcept {
  if (wait_record* const claimed = claim_waiting(owner, before, why)) make_ready(*claimed);
}

// It is held for good only by a dedicated reactor thread; by others while they dispatch, or are kept from doing so.
void reactor::wait_for_lead() noexcept {
  for (int spins = 0; !try_lead(); ++spins) {
    if (spins < 100) {
      spin_pause();
    } else {
      yield_thread();
    }
  }
}

bool reactor::run_timers() noexcept {
  if (core_.clockwork.is_idle()) return false;
  const std::size_t fired = core_.clockwork.run_due(monotonic_now());
  return fired != 0;
}

bool reactor::poll() noexcept {
  if (mode_ == reactor_mode::dedicated) return false;
  bool any = false;
  if (has_descriptors() && try_lead()) {
    any = take_events(0) > 0;
    drop_lead();
  }
  return run_timers() || any;
}

void reactor::park(std::int64_t deadline) noexcept {
  wait_for_lead();
  // A stand-in that led until now may have taken the event of a wake() that was meant for us: the note tells.
  take_events(core_.is_parked_in_poller() ? deadline : 0);
  drop_lead();
  run_timers();
}

// --- The reactor thread ----------------------------------------------------------------------------------------------

void reactor::stand_in() noexcept {
  if (mode_ != reactor_mode::adaptive) return;
  rounds_when_stuck_.store(core_.rounds.load(relaxed), relaxed);
  if (standing_in_.exchange(1, release) == 0) futex_wake(standing_in_, 1);
}

bool reactor::worker_moves() const noexcept {
  return core_.rounds.load(relaxed) != rounds_when_stuck_.load(relaxed) || !core_.is_awake();
}

void reactor::stand_by() noexcept {
  while (!stop_.load(relaxed)) {
    if (standing_in_.load(acquire) == 0 || worker_moves()) {  // Pairs with stand_in().
      core_.clockwork.unwatch();
      standing_in_.store(0, seq_cst);  // Pairs with stop(): it sees our 0 and wakes us, or we see that it stops.
      if (!stop_.load(seq_cst)) futex_wait(standing_in_, 0, never);
      continue;
    }
    poller_.wait_unconsumed(core_.clockwork.watch());
    if (worker_moves() || stop_.load(relaxed)) continue;
    if (try_lead()) {
      take_events(0);
      drop_lead();
    }
    run_timers();
  }
}

void reactor::lead_for_good() noexcept {
  wait_for_lead();
  while (!stop_.load(relaxed)) {
    take_events(core_.clockwork.watch());
    run_timers();
  }
  core_.clockwork.unwatch();
  drop_lead();
}

}  // namespace weft::inline v0::detail
